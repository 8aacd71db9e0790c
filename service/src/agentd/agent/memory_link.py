# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""The link from the CLI's auto-memory to the agent's memory, and what was there."""

from __future__ import annotations

import os
from pathlib import Path

from agentd.agent.hostile_files import copy_file, replace_with_link, set_aside
from agentd.transcripts.key import project_key

NAME = "memory"


def link_memory(config: Path, memory: Path) -> list[str]:
    """Let the CLI's auto-memory be the agent's memory; return warnings.

    No link is made into a directory above it by real path, as in the default layout:
    whoever walks the tree would walk it for ever. Such a link is removed.
    """
    _remove_loop(memory / NAME, memory)
    link = config / "projects" / project_key(memory) / NAME
    if _is_above(memory, link):
        _remove_loop(link, memory)
        return []
    if link.is_symlink() and os.path.realpath(link) == os.path.realpath(memory):
        return []
    link.parent.mkdir(mode=0o700, exist_ok=True)
    warnings = _rescue(link, memory)
    replace_with_link(link, memory)
    return warnings


def _is_above(memory: Path, link: Path) -> bool:
    place = Path(os.path.realpath(link.parent)) / link.name
    return place.is_relative_to(os.path.realpath(memory))


def _remove_loop(link: Path, memory: Path) -> None:
    """Remove a link that leads to a directory above itself; it holds nothing."""
    if link.is_symlink() and _is_above(memory, link):
        real = os.path.realpath(link)
        if Path(os.path.realpath(link.parent)).is_relative_to(real):
            link.unlink()


def _rescue(old: Path, memory: Path) -> list[str]:
    """Move notes to where there is none of their name; keep the rest beside (E10)."""
    if old.is_symlink() or not os.path.lexists(old):
        return []
    if old.is_dir():
        if not os.path.lexists(memory / "MEMORY.md"):
            _move_notes(old, memory)
        if not os.listdir(old):
            old.rmdir()
            return []
    kept = set_aside(old)
    return [f"Notes of the auto-memory that {memory} did not take are kept in {kept}."]


def _move_notes(old: Path, memory: Path) -> None:
    """MEMORY.md comes last: a boot that is killed before it goes on with the rest."""
    names = sorted(os.listdir(old), key=lambda name: (name == "MEMORY.md", name))
    for name in names:
        source, target = old / name, memory / name
        if source.is_symlink() or not source.is_file() or os.path.lexists(target):
            continue
        copy_file(source, target)
        source.unlink()
