# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Bad input, broken surroundings: each says what, why and what to do, and is repaired.

Every refusal is followed by a run with the cause gone, which must succeed.
"""

from __future__ import annotations

import contextlib
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from running import Deployment, Outcome, docker, free_port, play

NOBODY_LISTENS = "http://127.0.0.1:9"


def refused(outcome: Outcome, *words: str) -> None:
    """Fail unless the play failed with a message that holds all these words."""
    assert outcome.status != 0, outcome.output
    missing = [word for word in words if word not in outcome.text]
    assert missing == [], outcome.output


def unchanged(deployment: Deployment) -> None:
    """Fail unless a good run finds everything as it was."""
    outcome = deployment.deploy()

    assert outcome.status == 0, outcome.output
    assert outcome.changed == 0


def works(deployment: Deployment) -> None:
    """Fail unless the deployment comes up and answers."""
    outcome = deployment.deploy()

    assert outcome.status == 0, outcome.output
    assert "mango" in deployment.say("Remember the word mango.")["result"]


@pytest.fixture
def bare(tmp_path: Path) -> Iterator[Deployment]:
    """A deployment of which nothing is there yet."""
    one = Deployment(
        name="integration-bare", data_root=tmp_path / "root", port=free_port()
    )
    yield one
    one.destroy()


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        pytest.param(
            {"deployment_port": "eight"},
            ["deployment_port", "unable to convert to int"],
            id="a word for a port",
        ),
        pytest.param(
            {"deployment_agents": [{"name": "first", "uid": "root"}]},
            ["uid", "unable to convert to int"],
            id="a word for a uid",
        ),
        pytest.param(
            {"deployment_agents": [{"name": "first", "uid": 20001}]},
            ["Cannot use the uids [20001, 20002, 20001]", "uid of each entry"],
            id="one uid for two",
        ),
        pytest.param(
            {"deployment_agents": [{"name": "../first", "uid": 20101}]},
            ["Cannot use the agent names", "../first", "deployment_agents"],
            id="a name that climbs",
        ),
        pytest.param(
            {"deployment_agent_network": "open"},
            ["Cannot give the agents", "deployment_agent_network"],
            id="an open network",
        ),
        pytest.param(
            {"deployment_api_token": "short"},
            ["Cannot use the API token", "22 characters", "deployment_api_token"],
            id="a token to guess",
        ),
        pytest.param(
            {"SESSIONS_DIR": "/data", "deployment_removed_variables": "refuse"},
            ["Cannot use variables that are gone", "SESSIONS_DIR", '"memory"'],
            id="a variable of an earlier system",
        ),
        pytest.param(
            {"deployment_image": "agentkeep/none:0"},
            ["agentkeep/none:0 is not on this host", "deployment_image"],
            id="an image that is not there",
        ),
        pytest.param(
            {
                "deployment_inventory_extra": [
                    {
                        "name": "notes",
                        "scope": "agent",
                        "source": "notes",
                        "owner": "agent",
                        "mode": "0700",
                        "mount": "/data/notes",
                        "kind": "workspace",
                        "backup": "files",
                        "purpose": "Notes.",
                    }
                ]
            },
            ["notes", '"mount"'],
            id="an unknown key in a state entry",
        ),
    ],
)
def test_a_bad_variable_is_refused_by_name(
    deployment: Deployment, variables: dict[str, Any], words: list[str]
) -> None:
    """Q09."""
    refused(deployment.deploy(**variables), *words)


def test_after_all_refusals_the_deployment_is_as_it_was(
    deployment: Deployment,
) -> None:
    unchanged(deployment)


def test_a_port_in_use_is_refused_and_free_again_is_taken(
    deployment: Deployment,
) -> None:
    port = free_port()
    with socket.create_server(("127.0.0.1", port)):
        outcome = deployment.deploy(deployment_port=port)

    refused(outcome, "Cannot publish the API", str(port), "Set deployment_port")
    unchanged(deployment)


def test_a_data_root_that_is_a_link_is_refused(bare: Deployment) -> None:
    """A09: nothing is made at the other end of the link."""
    elsewhere = bare.data_root.parent / "elsewhere"
    elsewhere.mkdir()
    bare.data_root.symlink_to(elsewhere)

    foretold = bare.deploy("--check")
    outcome = bare.deploy()

    refused(foretold, str(bare.data_root), "link")
    refused(outcome, str(bare.data_root), "link")
    assert list(elsewhere.iterdir()) == []
    bare.data_root.unlink()
    works(bare)


def test_a_data_root_that_is_a_file_is_refused(bare: Deployment) -> None:
    bare.data_root.write_text("not a directory")

    outcome = bare.deploy()

    refused(outcome, str(bare.data_root), "not a directory")
    assert bare.data_root.read_text() == "not a directory"
    bare.data_root.unlink()
    works(bare)


def test_a_host_without_engine_is_refused_when_none_is_to_be_installed() -> None:
    variables = {"host_engine_source": "none"}
    nowhere = {"DOCKER_HOST": "unix:///nonexistent/docker.sock"}

    outcome = play("deploy", "--tags=host", variables=variables, environment=nowhere)

    refused(outcome, "Cannot use the container engine", "none", "host_engine_source")
    repaired = play("deploy", "--tags=host", variables=variables)
    assert repaired.status == 0, repaired.output


def is_installed(package: str) -> bool:
    """Return whether a package of the distribution is installed."""
    listing = ["dpkg-query", "--show", "--showformat=${db:Status-Status}", package]
    found = subprocess.run(listing, check=False, capture_output=True, text=True)
    return found.stdout == "installed"


def test_a_package_source_that_cannot_be_reached_is_named() -> None:
    if is_installed("hello"):
        pytest.skip("The package that this test installs and removes is in use here.")
    variables = {"host_engine_source": "none", "host_extra_packages": ["hello"]}
    cut_off = {"http_proxy": NOBODY_LISTENS, "https_proxy": NOBODY_LISTENS}

    outcome = play("deploy", "--tags=host", variables=variables, environment=cut_off)

    refused(outcome, "Cannot install hello", "package sources", "run the play again")
    assert not is_installed("hello")
    try:
        repaired = play("deploy", "--tags=host", variables=variables)
        assert repaired.status == 0, repaired.output
        assert is_installed("hello")
    finally:
        subprocess.run(["dpkg", "--purge", "hello"], check=True, capture_output=True)


@contextlib.contextmanager
def engine_with_little_space(place: Path, size: str) -> Iterator[str]:
    """Run a second engine whose data lies in a small file system of its own."""
    data = place / "data"
    data.mkdir()
    subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size}", "agentkeep-test", str(data)],
        check=True,
    )
    address = f"unix://{place}/docker.sock"
    log = (place / "log").open("w")
    daemon = subprocess.Popen(
        [
            *("unshare", "--net", "dockerd", f"--host={address}"),
            *("--bridge=none", "--iptables=false"),
            *(f"--data-root={data}", f"--exec-root={place}/run"),
            f"--pidfile={place}/pid",
        ],
        stdout=log,
        stderr=log,
    )
    try:
        wait_for_engine(address)
        yield address
    finally:
        daemon.terminate()
        daemon.wait(timeout=30)
        log.close()
        subprocess.run(["umount", "--lazy", str(data)], check=True)


def wait_for_engine(address: str) -> None:
    """Return when an engine answers; raise TimeoutError in the end."""
    end = time.monotonic() + 30
    while time.monotonic() < end:
        with contextlib.suppress(subprocess.CalledProcessError):
            docker(f"--host={address}", "version")
            return
        time.sleep(0.2)
    raise TimeoutError(f"no engine answers at {address} after 30 s")


def base_as_tar(place: Path) -> Path:
    """Write the base that is on this machine's engine to a file."""
    container = docker("create", "agentkeep/base:trixie", "true")
    try:
        docker("export", f"--output={place / 'base.tar'}", container)
    finally:
        docker("rm", container)
    return place / "base.tar"


@pytest.mark.parametrize(
    ("size", "words", "repair"),
    [
        pytest.param(
            "64m",
            ["no space left on device"],
            ["--tags=image_base"],
            id="too little for the base",
        ),
        pytest.param(
            "1g",
            ["image_minimum_free_bytes"],
            # That engine has no network, from which a build would take packages.
            ["--tags=image", "--check"],
            id="too little for the image",
        ),
    ],
)
def test_an_image_that_finds_no_space_is_refused_until_there_is_some(
    tmp_path: Path, size: str, words: list[str], repair: list[str]
) -> None:
    variables = {
        "image_base_source": "tar",
        "image_base_tar": str(base_as_tar(tmp_path)),
    }
    with engine_with_little_space(tmp_path, size) as address:
        there = {"DOCKER_HOST": address}

        outcome = play("deploy", "--tags=image", variables=variables, environment=there)
        images = docker(f"--host={address}", "images")
        subprocess.run(
            ["mount", "-o", "remount,size=8g", str(tmp_path / "data")], check=True
        )
        repaired = play("deploy", *repair, variables=variables, environment=there)
        images_then = docker(f"--host={address}", "images")

    refused(outcome, "Cannot", "space", *words)
    assert "agentd" not in images
    assert repaired.status == 0, repaired.output
    assert "agentkeep/base" in images_then
