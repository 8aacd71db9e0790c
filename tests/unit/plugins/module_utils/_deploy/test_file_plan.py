# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""What is done with each declared file."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace

import pytest
from ansible_collections.agentkeep.agents.plugins.module_utils._containers.container import (  # noqa: E501
    Container,
)
from ansible_collections.agentkeep.agents.plugins.module_utils._deploy.file_plan import (  # noqa: E501
    FileStep,
    FoundFile,
    PlacedFile,
    plan_files,
    settings_of,
)
from ansible_collections.agentkeep.agents.plugins.module_utils._deploy.release import (
    Release,
    ReleasedFile,
    gone_files,
    release_of,
)
from ansible_collections.agentkeep.agents.plugins.module_utils._errors import (
    InvalidInput,
)
from ansible_collections.agentkeep.agents.plugins.module_utils._mounts.mount import (
    EffectiveMount,
)

PATH = "demo/shared/settings/file"


def placed(policy: str = "replace", *, renew: bool = False) -> PlacedFile:
    """Return a declared file of root with mode 0640."""
    content = None if policy == "generate" else b"wanted"
    return PlacedFile(
        entry="settings",
        agent=None,
        name="file",
        path=PATH,
        uid=0,
        gid=20001,
        mode=0o640,
        policy=policy,
        renew=renew,
        content=content,
    )


@dataclass(frozen=True)
class Row:
    """One kind of file, what is there, and what is done."""

    file: PlacedFile
    found: FoundFile | None
    action: str
    content: bytes


RIGHT = FoundFile(0, 20001, 0o640, b"wanted")
ROWS = {
    "missing": Row(placed(), None, "created", b"wanted"),
    "right": Row(placed(), RIGHT, "unchanged", b"wanted"),
    "other content": Row(
        placed(), FoundFile(0, 20001, 0o640, b"old"), "changed", b"wanted"
    ),
    "other owner": Row(
        placed(), FoundFile(1, 20001, 0o640, b"wanted"), "changed", b"wanted"
    ),
    "other mode": Row(
        placed(), FoundFile(0, 20001, 0o644, b"wanted"), "changed", b"wanted"
    ),
    # D22: what others made of it stays.
    "kept": Row(placed("keep"), FoundFile(7, 7, 0o600), "unchanged", b"wanted"),
    "kept and missing": Row(placed("keep"), None, "created", b"wanted"),
    # D12: generated once, and again only where that is asked for.
    "generated": Row(placed("generate"), None, "created", b"token"),
    "generated before": Row(
        placed("generate"), FoundFile(0, 20001, 0o640, b"old"), "unchanged", b"old"
    ),
    "renewed": Row(
        placed("generate", renew=True),
        FoundFile(0, 20001, 0o640, b"old"),
        "changed",
        b"token",
    ),
    "generated and empty": Row(
        placed("generate"), FoundFile(0, 20001, 0o640, b""), "changed", b"token"
    ),
}


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
def test_a_file_is_written_when_it_is_not_as_declared(row: Row) -> None:
    """D12, D22."""
    found = {} if row.found is None else {PATH: row.found}

    (step,) = plan_files([row.file], found, {PATH: b"token"})

    assert (step.action, step.content) == (row.action, row.content)


@pytest.mark.parametrize(("found", "token"), [(None, b"fresh"), (b"old", b"old")])
def test_a_generated_token_is_put_into_the_content_that_asks_for_it(
    found: bytes | None, token: bytes
) -> None:
    """D10, D12: a server and its client have the same password, whoever made it."""
    password = placed("generate")
    address = replace(
        placed(), path="address", content=b"to {generated}", generated="settings/file"
    )
    there = {} if found is None else {PATH: FoundFile(0, 20001, 0o640, found)}

    filled, generated = plan_files([address, password], there, {PATH: b"fresh"})

    assert generated.content == token
    assert filled.content == b"to " + token


def test_something_else_in_its_place_is_refused() -> None:
    with pytest.raises(InvalidInput, match="no regular file"):
        plan_files([placed()], {PATH: FoundFile(0, 0, 0)}, {})


def container(agent: str | None = None) -> Container:
    """Return a container that mounts the settings."""
    mount = EffectiveMount(
        component="agent" if agent else "control",
        agent=agent,
        entry="settings",
        type="bind",
        source="/srv/demo",
        target="/etc/agentd",
        requested="ro",
        effective="ro",
    )
    return Container(name="agentkeep-demo-control", agent=agent, mounts=(mount,))


def hashed(
    content: bytes, secret: str = "", policy: str = "replace", *, live: bool = False
) -> str:
    """Return the hash of a container with one file and one secret."""
    step = FileStep(replace(placed(policy), live=live), "unchanged", content)
    return settings_of(container(), [step], {"KEY": secret})


def test_the_hash_of_the_settings_moves_with_files_and_secrets_alone() -> None:
    """D10: a changed secret makes its reader anew, though no text has it."""
    assert hashed(b"a") == hashed(b"a")
    assert hashed(b"a") != hashed(b"b")
    assert hashed(b"a") != hashed(b"a", "other")
    assert hashed(b"a", policy="keep") == hashed(b"b", policy="keep")
    assert hashed(b"a", live=True) == hashed(b"b", live=True)


@pytest.mark.parametrize("live", [True, False])
def test_another_key_in_a_live_file_is_no_other_release(live: bool) -> None:
    """The way back stays the one to other containers, not to the old key."""

    def release(content: bytes) -> Release:
        step = FileStep(replace(placed(), live=live), "changed", content)
        return release_of([container()], "services: {}", [step])

    one, other = release(b"old key"), release(b"next key")

    assert (one.id == other.id) is live
    kept = Release.from_manifest(one.manifest().encode(), "services: {}")
    assert [file.live for file in kept.files] == [live]


def test_a_release_of_an_earlier_version_has_no_live_files() -> None:
    step = FileStep(placed(), "changed", b"key")
    whole = json.loads(release_of([container()], "services: {}", [step]).manifest())
    for file in whole["files"]:
        del file["live"]

    kept = Release.from_manifest(json.dumps(whole).encode(), "services: {}")

    assert [file.live for file in kept.files] == [False]


def test_a_released_file_that_is_not_declared_any_more_is_removed() -> None:
    """D10: an old secret does not stay; what was generated does."""
    released = [
        ReleasedFile(path, 0, 0, 0o600, "settings", None, path, generated=generated)
        for path, generated in (("old", False), ("token", True), ("gone", False))
    ]
    before = Release(id="1", services={}, files=tuple(released))

    steps = gone_files(before, [], found=["old", "token"])

    assert [(one.file.path, one.action) for one in steps] == [("old", "removed")]
