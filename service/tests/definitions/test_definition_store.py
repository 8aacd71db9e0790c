# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Definitions on disk: put whole or not at all, whoever is killed, and read alike."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from skills.world import content

from agentd.definitions.resolve import BUILT_IN, UPLOADED, Tiers, resolve
from agentd.definitions.store import Store
from agentd.definitions.values import AGENTS, SKILLS, Content, UploadLimits
from agentd.errors import (
    DefinitionBuiltIn,
    DefinitionExists,
    DefinitionsFailed,
    DefinitionUnknown,
    UploadRefused,
    UploadTooLarge,
)

LIMITS = UploadLimits(bytes=10_000, files=10)
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root, for mounts")


def files(text: str = "You review.") -> dict[str, Content]:
    """Return a definition."""
    return {
        "CLAUDE.md": Content(text.encode()),
        "skills/lint/SKILL.md": Content(text.encode()),
        "run.sh": Content(b"#!/bin/sh\n", runs=True),
    }


@pytest.fixture
def tiers(tmp_path: Path) -> Tiers:
    """The directory that is uploaded to, and a built-in definition."""
    found = Tiers(tmp_path / "definitions" / "agents", tmp_path / "built-in")
    found.uploaded.parent.mkdir()
    (found.built_in / "shipped").mkdir(parents=True)
    (found.built_in / "shipped" / "CLAUDE.md").write_text("Shipped.")
    return found


@pytest.fixture
def store(tiers: Tiers) -> Store:
    """The definitions."""
    return Store(AGENTS, tiers, LIMITS)


def everything(tiers: Tiers) -> dict[str, str]:
    """Return every file below the directory that is uploaded to, and beside it."""
    return content(tiers.uploaded.parent)


def test_what_was_added_is_what_is_read_and_any_uid_may_read_it(
    store: Store, tiers: Tiers
) -> None:
    """P02, P04: saved where the resolution looks."""
    former = os.umask(0o077)
    try:
        entry = store.add("reviewer", files())
    finally:
        os.umask(former)

    place = tiers.uploaded / "reviewer"
    assert resolve(tiers, "reviewer").path == place
    assert (entry.tier, len(entry.files)) == (UPLOADED, 3)
    assert store.content("reviewer") == (UPLOADED, "CLAUDE.md", files()["CLAUDE.md"])
    modes = {path.name: path.stat().st_mode & 0o777 for path in place.rglob("*")}
    assert modes["CLAUDE.md"] == 0o644
    assert (modes["run.sh"], modes["skills"], modes["lint"]) == (0o755, 0o755, 0o755)
    assert tiers.uploaded.stat().st_mode & 0o777 == 0o755


def test_one_that_exists_is_refused_and_stays_as_it_is(
    store: Store, tiers: Tiers
) -> None:
    """P04."""
    store.add("reviewer", files("first"))
    before = everything(tiers)

    with pytest.raises(DefinitionExists, match="there is one of that name"):
        store.add("reviewer", files("second"))

    assert everything(tiers) == before


def test_an_uploaded_one_takes_the_place_of_a_built_in_one_until_it_is_removed(
    store: Store,
) -> None:
    """P01, P06: the built-in one comes back."""
    added = store.add("shipped", files("mine"))
    store.remove("shipped")

    assert added.hides_built_in
    assert store.find("shipped").tier == BUILT_IN


def test_what_came_with_the_image_is_neither_changed_nor_removed(store: Store) -> None:
    """P06."""
    for act in (
        lambda: store.remove("shipped"),
        lambda: store.replace("shipped", files()),
        lambda: store.replace_file("shipped", None, Content(b"x")),
    ):
        with pytest.raises(DefinitionBuiltIn, match="it came with the image"):
            act()

    assert store.content("shipped")[2].data == b"Shipped."


@pytest.mark.parametrize("name", ["..", ".", "a/../../agents", "", "A", ".hidden"])
def test_no_name_leads_out_of_the_directory(
    store: Store, tiers: Tiers, name: str
) -> None:
    """P03, P06: the parent stays intact."""
    store.add("reviewer", files())
    before = content(tiers.uploaded.parent.parent)

    for act in (
        lambda: store.remove(name),
        lambda: store.find(name),
        lambda: store.content(name),
        lambda: store.add(name, files()),
        lambda: store.replace(name, files()),
    ):
        with pytest.raises(UploadRefused, match="as the name of a definition"):
            act()

    assert content(tiers.uploaded.parent.parent) == before


def test_the_word_for_the_agents_own_directory_is_no_name(tiers: Tiers) -> None:
    """P01: nobody would ever find it."""
    with pytest.raises(UploadRefused, match="own directory"):
        Store(AGENTS, tiers, LIMITS).add("brain", files())

    skills = Tiers(tiers.uploaded.parent / "skills", tiers.built_in)
    store = Store(SKILLS, skills, LIMITS)
    assert store.add("brain", {"SKILL.md": Content(b"x")}).name == "brain"


@pytest.mark.parametrize(
    ("given", "error", "said"),
    [
        ({"README.md": b"x"}, UploadRefused, "it has no CLAUDE.md at its root"),
        ({".claude/CLAUDE.md": b"x"}, UploadRefused, "no CLAUDE.md at its root"),
        ({"CLAUDE.md": b"\xff"}, UploadRefused, "no text in UTF-8"),
        ({"CLAUDE.md": b"x", "../y": b""}, UploadRefused, 'an empty part, "."'),
        ({"CLAUDE.md": b"x", "/etc/y": b""}, UploadRefused, "it is absolute"),
        ({"CLAUDE.md": b"x", "a\\b": b""}, UploadRefused, "a backslash"),
        ({"CLAUDE.md": b"x", "a": b"", "a/b": b""}, UploadRefused, '"a" is a file'),
        ({"CLAUDE.md": b"x" * 10_001}, UploadTooLarge, "upload_max_bytes"),
        (
            {"CLAUDE.md": b"x", **{str(one): b"" for one in range(10)}},
            UploadTooLarge,
            "upload_max_files",
        ),
    ],
)
def test_what_is_incomplete_or_too_large_or_astray_leaves_nothing(
    store: Store, tiers: Tiers, given: dict[str, bytes], error: type, said: str
) -> None:
    """P04, P05."""
    with pytest.raises(error, match=said):
        store.add("x", {path: Content(data) for path, data in given.items()})

    assert everything(tiers) == {}


def test_links_that_lie_there_are_neither_followed_nor_listed(
    store: Store, tiers: Tiers
) -> None:
    """P05: control would read what agents may not."""
    store.add("reviewer", files())
    (tiers.uploaded / "linked").symlink_to("/etc")
    (tiers.uploaded / "reviewer" / "passwd").symlink_to("/etc/passwd")
    (tiers.uploaded / "reviewer" / "etc").symlink_to("/etc")

    assert [one.name for one in store.list()] == ["reviewer", "shipped"]
    assert len(store.find("reviewer").files) == 3
    for path in ("passwd", "etc/passwd", "none"):
        with pytest.raises((DefinitionUnknown, DefinitionsFailed)):
            store.content("reviewer", path)
    store.remove("linked")
    assert Path("/etc/passwd").exists()


def test_one_file_is_changed_and_the_others_stay(store: Store) -> None:
    store.add("reviewer", files())

    entry = store.replace_file("reviewer", "notes/a.md", Content(b"new"))
    store.replace_file("reviewer", None, Content(b"You praise."))

    assert len(entry.files) == 4
    assert store.content("reviewer")[2].data == b"You praise."
    assert store.content("reviewer", "notes/a.md")[2].data == b"new"
    assert store.content("reviewer", "run.sh")[2].runs


@pytest.fixture
def read_only(tiers: Tiers) -> Iterator[Path]:
    """Mount the directory that is uploaded to read-only."""
    root = tiers.uploaded.parent
    subprocess.run(["mount", "--bind", str(root), str(root)], check=True)
    subprocess.run(["mount", "-o", "remount,ro,bind", str(root)], check=True)
    yield root
    subprocess.run(["umount", str(root)], check=True)


@pytest.mark.root
@needs_root
def test_what_the_system_refuses_is_shown_and_not_swallowed(
    store: Store, read_only: Path
) -> None:
    """P08."""
    with pytest.raises(DefinitionsFailed, match="Read-only file system as uid"):
        store.add("reviewer", files())

    assert [one.name for one in store.list()] == ["shipped"]


def test_what_cannot_be_read_is_listed_with_the_reason(
    store: Store, tiers: Tiers
) -> None:
    store.add("reviewer", files())
    deep = tiers.uploaded / "reviewer"
    for _unused in range(20):
        deep = deep / "d"
        deep.mkdir()

    found = store.list()

    assert "deeper than" in str(found[0].problem)
    assert found[1].problem is None
