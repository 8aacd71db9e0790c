# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""The image from every source but the one that the demo proves: tar and registry.

The registry is Debian's own, unpacked and not installed, on a free port of loopback.
"""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from running import Outcome, docker, free_port, play

BASE = "agentkeep/base:trixie"
OWN_BASE = "agentkeep-test/base:tar"
OWN_NAME = "agentkeep-test/agentd"
UNKNOWN_DIGEST = "sha256:" + "0" * 64


@dataclass(frozen=True)
class Registry:
    """A registry and the two images that it has, as references by digest."""

    address: str
    base: str
    finished: str


def provide(tag: str, **variables: Any) -> Outcome:
    """Run the role image alone, with a name of its own for the result."""
    own = {
        "image_name": OWN_NAME,
        "image_tag": tag,
        "image_base_name": OWN_BASE,
        "image_ca_bundle": os.environ.get("SSL_CERT_FILE", ""),
    }
    return play("deploy", "--tags=image", variables={**own, **variables})


def succeeded(outcome: Outcome) -> Outcome:
    """Return the outcome; fail with its output unless it was a success."""
    assert outcome.status == 0, outcome.output
    return outcome


def refused(outcome: Outcome, *words: str) -> None:
    """Fail unless the play failed with a message that holds all these words."""
    assert outcome.status != 0, outcome.output
    assert [word for word in words if word not in outcome.text] == [], outcome.output


def image(name: str) -> dict[str, Any]:
    """Return what the engine says of an image."""
    return dict(json.loads(docker("image", "inspect", name))[0])


def pushed(name: str, reference: str) -> str:
    """Push an image under a reference and return that reference by its digest."""
    docker("tag", name, reference)
    docker("push", "--quiet", reference)
    repository = reference.rpartition(":")[0]
    digests: list[str] = image(reference)["RepoDigests"]
    docker("image", "rm", reference)
    return next(digest for digest in digests if digest.startswith(f"{repository}@"))


@pytest.fixture(scope="module")
def changed_base(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A container of this machine's base in which one file is new.

    Were all files the same, the builder would rightly take the other base's layers.
    """
    marker = tmp_path_factory.mktemp("base") / "agentkeep-test"
    marker.write_text(secrets.token_hex(16), encoding="utf-8")
    container = docker("create", BASE, "true")
    try:
        docker("cp", "--quiet", str(marker), f"{container}:/etc/")
        yield container
    finally:
        docker("rm", container)


@pytest.fixture(scope="module")
def base_tar(changed_base: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """That base as a tar."""
    path = tmp_path_factory.mktemp("tar") / "base.tar"
    docker("export", f"--output={path}", changed_base)
    return path


def answers(address: str) -> bool:
    """Return whether a registry answers there."""
    try:
        with urllib.request.urlopen(f"http://{address}/v2/", timeout=1):
            return True
    except urllib.error.URLError:
        return False


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where an empty registry listens."""
    place = tmp_path_factory.mktemp("registry")
    subprocess.run(
        [
            *("apt-get", "download", "--quiet=2", "--option=APT::Sandbox::User=root"),
            "docker-registry",
        ],
        cwd=place,
        check=True,
    )
    (package,) = place.glob("docker-registry_*.deb")
    subprocess.run(["dpkg", "--extract", package, place], check=True)
    where = f"127.0.0.1:{free_port()}"
    settings = place / "settings.yml"
    settings.write_text(
        f"""{{version: "0.1", log: {{level: error}}, http: {{addr: "{where}"}},
        storage: {{filesystem: {{rootdirectory: "{place}/data"}}}}}}""",
        encoding="utf-8",
    )
    with (place / "log").open("w") as log:
        process = subprocess.Popen(
            [place / "usr/bin/docker-registry", "serve", settings],
            stdout=log,
            stderr=log,
        )
        try:
            end = time.monotonic() + 20
            while not answers(where):
                assert process.poll() is None, (place / "log").read_text()
                assert time.monotonic() < end, f"no registry answers at {where}"
                time.sleep(0.1)
            yield where
        finally:
            process.terminate()
            process.wait(timeout=10)


@pytest.fixture(scope="module")
def registry(address: str, changed_base: str) -> Registry:
    """A registry with that base, and with an image that stands for a finished one."""
    docker("commit", changed_base, OWN_BASE.replace(":tar", ":made"))
    docker("commit", "--change=LABEL of=finished", changed_base, f"{OWN_NAME}:made")
    return Registry(
        address=address,
        base=pushed(OWN_BASE.replace(":tar", ":made"), f"{address}/base:1"),
        finished=pushed(f"{OWN_NAME}:made", f"{address}/agentd:1"),
    )


@pytest.fixture(scope="module", autouse=True)
def _own_images_go() -> Iterator[None]:
    yield
    listing = ("image", "ls", "--format={{.Repository}}:{{.Tag}}@{{.Digest}}")
    for line in docker(*listing, "--digests").splitlines():
        name, _at, digest = line.rpartition("@")
        repository, _colon, rest = name.rpartition(":")
        if repository.startswith("agentkeep-test/"):
            docker("image", "rm", "--force", f"{repository}:{rest}")
        elif repository.startswith("127.0.0.1:"):
            docker("image", "rm", "--force", f"{repository}@{digest}")


def test_a_base_from_a_tar_is_imported_once(base_tar: Path) -> None:
    tar = {"image_base_source": "tar", "image_base_tar": str(base_tar)}

    first = succeeded(provide("tar", **tar))
    second = succeeded(provide("tar", **tar))

    assert first.changed > 0
    assert second.changed == 0
    labels = image(OWN_BASE)["Config"]["Labels"]
    assert labels["agentkeep.image"] == "base"
    layers = image(f"{OWN_NAME}:tar")["RootFS"]["Layers"]
    assert layers[0] == image(OWN_BASE)["RootFS"]["Layers"][0]


def test_a_rebuild_takes_nothing_from_the_cache(base_tar: Path) -> None:
    """Layers are made anew, so that newer packages come in; the old image goes."""
    tar = {"image_base_source": "tar", "image_base_tar": str(base_tar)}
    succeeded(provide("tar", **tar))
    before = image(f"{OWN_NAME}:tar")

    outcome = succeeded(provide("tar", image_rebuild=True, **tar))

    after = image(f"{OWN_NAME}:tar")
    assert outcome.changed > 0
    with_packages = before["RootFS"]["Layers"][-2:]
    assert set(with_packages).isdisjoint(after["RootFS"]["Layers"])
    assert before["Id"] not in docker("image", "ls", "--no-trunc", "--quiet")


def test_a_base_tar_that_is_not_there_is_refused(tmp_path: Path) -> None:
    missing = str(tmp_path / "base.tar")

    outcome = provide("tar", image_base_source="tar", image_base_tar=missing)

    refused(outcome, "Cannot import the base", missing, "image_base_tar")


def test_a_base_tar_that_is_none_is_refused(tmp_path: Path) -> None:
    broken = tmp_path / "base.tar"
    broken.write_text("not a tar")

    outcome = provide("none", image_base_source="tar", image_base_tar=str(broken))

    refused(outcome, "Cannot make the base", "from tar", str(broken))


def test_a_base_from_a_registry_is_pulled_by_digest_once(registry: Registry) -> None:
    source = {"image_base_source": "registry", "image_base_reference": registry.base}

    first = succeeded(provide("registry", **source))
    second = succeeded(provide("registry", **source))

    assert first.changed > 0
    assert second.changed == 0
    base = image(registry.base)["RootFS"]["Layers"]
    assert image(f"{OWN_NAME}:registry")["RootFS"]["Layers"][: len(base)] == base


def test_a_finished_image_is_pulled_by_digest_once(registry: Registry) -> None:
    source = {"image_source": "pull", "image_reference": registry.finished}

    first = succeeded(provide("pulled", **source))
    second = succeeded(provide("pulled", **source))

    assert first.changed > 0
    assert second.changed == 0
    pulled = image(f"{OWN_NAME}:pulled")
    assert pulled["Id"] == image(registry.finished)["Id"]
    assert pulled["Config"]["Labels"]["of"] == "finished"


def test_another_digest_replaces_the_finished_image(registry: Registry) -> None:
    succeeded(provide("pulled", image_source="pull", image_reference=registry.finished))

    succeeded(provide("pulled", image_source="pull", image_reference=registry.base))

    assert image(f"{OWN_NAME}:pulled")["Id"] == image(registry.base)["Id"]


@pytest.mark.parametrize(
    ("variable", "source"),
    [
        ("image_reference", {"image_source": "pull"}),
        ("image_base_reference", {"image_base_source": "registry"}),
    ],
)
def test_a_reference_without_digest_is_refused(
    variable: str, source: dict[str, str]
) -> None:
    tag = "registry.example.org/agentd:latest"

    outcome = provide("refused", **source, **{variable: tag})

    refused(
        outcome, "Cannot pull the", tag, "does not name a digest", f"Set {variable}"
    )


@pytest.mark.parametrize(
    ("repository", "variable", "source"),
    [
        ("agentd", "image_reference", {"image_source": "pull"}),
        ("base", "image_base_reference", {"image_base_source": "registry"}),
    ],
)
def test_a_digest_that_the_registry_does_not_have_is_named(
    registry: Registry, repository: str, variable: str, source: dict[str, str]
) -> None:
    wrong = f"{registry.address}/{repository}@{UNKNOWN_DIGEST}"

    outcome = provide("refused", **source, **{variable: wrong})

    refused(outcome, "Cannot", wrong, "manifest unknown", variable)
    assert docker("image", "ls", "--quiet", f"{OWN_NAME}:refused") == ""
