# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Definitions on a full disk, and replaced while they are put in place."""

from __future__ import annotations

import os
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from skills.world import content

from agentd.agent.definition_sync import DefinitionUnusable, sync_definition
from agentd.definitions.resolve import Tiers
from agentd.definitions.store import Store
from agentd.definitions.values import AGENTS, Content, UploadLimits
from agentd.errors import DefinitionsFailed

LIMITS = UploadLimits(bytes=10_000_000, files=100)
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root, for mounts")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system with little room."""
    place = tmp_path / "disk"
    place.mkdir()
    options = "size=256k,mode=0755"
    subprocess.run(
        ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(place)], check=True
    )
    yield place
    subprocess.run(["umount", str(place)], check=True)


def files(text: str, size: int = 0) -> dict[str, Content]:
    """Return a definition whose files all say the same."""
    names = ("CLAUDE.md", "a/b.md", "skills/lint/SKILL.md")
    return {
        **{name: Content(text.encode()) for name in names},
        "data": Content(text[:1].encode() * size),
    }


@pytest.mark.root
@needs_root
def test_an_upload_that_finds_no_room_leaves_nothing_and_takes_no_other_along(
    small_disk: Path, tmp_path: Path
) -> None:
    """P04: the half that was written is gone, so that there is room again."""
    store = Store(AGENTS, Tiers(small_disk / "agents", tmp_path / "none"), LIMITS)
    store.add("first", files("first"))
    before = content(small_disk)

    for deed in (store.add, store.replace):
        name = "second" if deed == store.add else "first"
        with pytest.raises(DefinitionsFailed, match="No space left on device as uid"):
            deed(name, files("large", 400_000))

    assert content(small_disk) == before
    assert len(store.add("third", files("small")).files) == 4


@pytest.mark.root
@needs_root
def test_a_work_directory_without_room_keeps_what_it_has_and_is_said_to_be_full(
    small_disk: Path, tmp_path: Path
) -> None:
    """P08, P14: and is completed when there is room."""
    store = Store(AGENTS, Tiers(tmp_path / "agents", tmp_path / "none"), LIMITS)
    store.add("x", files("old"))
    source, work = tmp_path / "agents" / "x", small_disk / "work"
    sync_definition(source, work)
    store.replace("x", files("new", 400_000))

    with pytest.raises(DefinitionUnusable, match="No space left on device as uid"):
        sync_definition(source, work)
    texts = {path.read_text() for path in work.rglob("*.md")}
    store.replace("x", files("newest"))
    done = sync_definition(source, work)

    assert texts <= {"old", "new"}
    assert {path.read_text() for path in work.rglob("*.md")} == {"newest"}
    assert done.kept == []


def test_a_definition_that_is_replaced_all_the_time_is_put_whole(
    tmp_path: Path,
) -> None:
    """P02: never half of one and half of another."""
    store = Store(AGENTS, Tiers(tmp_path / "agents", tmp_path / "none"), LIMITS)
    store.add("x", files("0"))
    stop = threading.Event()

    def replace_on_and_on() -> None:
        for number in range(1, 2000):
            if stop.is_set():
                return
            store.replace("x", files(str(number)))

    replacing = threading.Thread(target=replace_on_and_on)
    replacing.start()
    seen = set()
    try:
        for _unused in range(150):
            try:
                sync_definition(tmp_path / "agents" / "x", tmp_path / "work")
            except DefinitionUnusable as error:
                assert "it changes while it is read" in str(error)
                continue
            texts = {path.read_text() for path in (tmp_path / "work").rglob("*.md")}
            assert len(texts) == 1, "nothing was kept as if it had been edited"
            seen |= texts
    finally:
        stop.set()
        replacing.join()

    assert len(seen) > 10
