# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""What the module deployment writes, keeps and removes: files, secrets, volumes."""

from __future__ import annotations

import json
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from module_runs import CONTROL_UID, FILES, Params, Small, entry
from running import docker

NASTY = "a $HOME ${X} $$ 'single' \"double\" #hash =equals \\back `tick` %s é"


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Small]:
    """A deployment that is laid out and not deployed."""
    one = Small(tmp_path / "state", options={"files": FILES})
    one.lay_out()
    try:
        yield one
    finally:
        one.destroy()


@pytest.fixture
def deployed(small: Small) -> Small:
    """A deployment that runs."""
    run = small.deploy()
    assert not run.failed, run.message
    return small


def test_values_reach_the_process_unchanged_and_secrets_only_the_process(
    small: Small,
) -> None:
    """D09, D10: no secret in the compose text, the result or a readable file."""
    secret = "canary-" + NASTY
    services = small.service("agent", environment={"PLAIN": NASTY, "EMPTY": ""})
    options: Params = {
        "services": services,
        "secret_environment": {"agent": {"KEY": secret}},
    }

    done = small.deploy(**options)
    again = small.deploy(**options)

    assert not done.failed, done.message
    assert again.result["changed"] is False
    shown = small.within("agent-main", "python3", "-c", "import os;print(os.environ)")
    assert repr(NASTY) in shown
    assert repr(secret) in shown
    assert "canary" not in done.output + again.output
    holders = [
        path
        for path in small.root.rglob("*")
        if path.is_file() and b"canary" in path.read_bytes()
    ]
    assert {path.name for path in holders} == {"agent-main.env"}
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o600 for path in holders)


def test_a_token_is_generated_once_and_a_persona_is_left_to_its_owner(
    deployed: Small,
) -> None:
    """D12, D22: both stay on later runs; a renewed token makes its reader anew."""
    token = deployed.root / "shared/settings/api_token"
    first = token.read_text()
    persona = deployed.root / "agents/main/memory/CLAUDE.md"
    persona.write_text("edited")
    owner = token.stat()

    again = deployed.deploy()
    renewed = deployed.deploy(files=[FILES[0], {**FILES[1], "renew": True}, FILES[2]])

    assert len(first) == 43
    assert (owner.st_uid, stat.S_IMODE(owner.st_mode)) == (CONTROL_UID, 0o600)
    assert again.result["changed"] is False
    assert persona.read_text() == "edited"
    assert renewed.lists()["recreated"] == ["control"]
    assert token.read_text() != first


def test_a_fresh_volume_belongs_to_its_owner_and_outlives_its_container(
    tmp_path: Path,
) -> None:
    """A10, K06, K07: writable at once; removed only by a confirmed wipe."""
    volume = entry("queue", "control", "/data/queue", kind="queue", source=None)
    volume = {k: v for k, v in volume.items() if v is not None} | {"volume": "queue"}
    small = Small(tmp_path / "state", options={"inventory": [volume]})
    name = f"agentkeep-{small.name}-queue"
    try:
        small.lay_out()
        assert not small.deploy().failed
        small.within("control", "sh", "-c", "echo kept > /data/queue/file")
        docker("rm", "--force", f"agentkeep-{small.name}-control")
        assert not small.deploy().failed
        assert small.within("control", "cat", "/data/queue/file") == "kept"

        absent = small.deploy(state="absent")
        refused = small.deploy(state="absent", wipe=True, confirm="other")
        assert name in docker("volume", "ls", "--format={{.Name}}").split()
        wiped = small.deploy(state="absent", wipe=True, confirm=small.name)

        assert not absent.failed
        assert refused.failed
        assert wiped.result["deployment"]["wiped"]["volumes"] == [name]
        assert name not in docker("volume", "ls", "--format={{.Name}}").split()
        assert not small.root.exists()
    finally:
        small.destroy()


def test_an_empty_volume_of_before_volumes_had_owners_is_given_to_its_owner(
    tmp_path: Path,
) -> None:
    """A10, K07: what compose made belongs to root, and is wiped with the others."""
    volume = entry("queue", "control", "/data/queue", kind="queue", source=None)
    volume = {k: v for k, v in volume.items() if v is not None} | {"volume": "queue"}
    small = Small(tmp_path / "state", options={"inventory": [volume]})
    name = f"agentkeep-{small.name}-queue"
    label = f"--label=agentkeep.deployment={small.name}"
    docker("volume", "create", label, name)
    try:
        small.lay_out()
        assert not small.deploy().failed
        small.within("control", "sh", "-c", "echo kept > /data/queue/file")

        assert not small.deploy(state="absent", wipe=True, confirm=small.name).failed

        assert name not in docker("volume", "ls", "--format={{.Name}}").split()
    finally:
        small.destroy()


def test_removal_takes_containers_and_generated_files_and_no_data(
    deployed: Small,
) -> None:
    """A18: data, tokens and personas stay; a second removal changes nothing."""
    (deployed.root / "agents/main/memory/work").write_text("mine")

    predicted = deployed.deploy(state="absent", check=True)
    done = deployed.deploy(state="absent")
    again = deployed.deploy(state="absent")

    assert predicted.lists() == done.lists()
    assert done.lists()["removed"] == ["agent-main", "control"]
    assert again.result["changed"] is False
    assert deployed.listed() == {}
    left = {
        str(path.relative_to(deployed.root))
        for path in deployed.root.rglob("*")
        if path.is_file()
    }
    assert left == {
        ".lock",
        "layout.json",
        "agents/main/memory/CLAUDE.md",
        "agents/main/memory/work",
        "shared/settings/api_token",
    }


def test_what_earlier_systems_used_is_named_and_not_rendered(small: Small) -> None:
    """D14, D15: one warning with the replacement, never the value."""
    services = small.service("agent", environment={"SESSIONS_DIR": "/canary"})
    legacy = {"environment": {"SESSIONS_DIR": 'the entry "memory"'}}

    done = small.deploy(services=services, legacy=legacy)
    refused = small.deploy(services=services, legacy=legacy, legacy_refused=True)

    (warning,) = done.result["deployment"]["warnings"]
    assert 'use the entry "memory" instead' in warning
    assert "canary" not in warning
    assert "SESSIONS_DIR" not in json.dumps(small.inspect("agent-main"))
    assert refused.failed
