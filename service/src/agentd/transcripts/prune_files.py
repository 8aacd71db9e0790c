# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""What the CLI leaves beside its transcripts, removed after a time of its own (I10)."""

from __future__ import annotations

from collections.abc import Mapping, Set
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from agentd.transcripts.find import opened
from agentd.transcripts.in_use import Identity
from agentd.transcripts.visit import Entry, look, remove, visit

AREAS = ("debug", "todos", "telemetry", "logs")


@dataclass
class Pruned:
    """How many files went, or would, and their bytes."""

    files: int = 0
    bytes: int = 0
    failed: int = 0

    def for_output(self) -> Mapping[str, int]:
        """Return what control is told."""
        return {"files": self.files, "bytes": self.bytes, "failed": self.failed}


@dataclass(frozen=True)
class Rule:
    """What goes: files that were written before, and whether they only are counted."""

    before: float
    dry_run: bool
    known_open: Set[Identity] = frozenset()


def prune_area(config_directory: Path, area: str, rule: Rule) -> Pruned:
    """Remove an area's old files, then the old directories that are empty."""
    pruned = Pruned()
    # No such directory, or a link in its place: nothing to remove (I11).
    with suppress(OSError), opened(config_directory / area) as directory:
        visit(directory, lambda found: _consider(found, rule, pruned))
    return pruned


def _consider(found: Entry, rule: Rule, pruned: Pruned) -> None:
    status = found.status
    if found.last >= rule.before or (status.st_dev, status.st_ino) in rule.known_open:
        return
    if found.is_directory:
        if not rule.dry_run:
            # One that is not empty stays.
            with suppress(OSError):
                remove(found)
        return
    # Seen before all that lies in the directory was: it may be in use by now (I12).
    now = look(found.directory, found.name)
    if now is None or now.last >= rule.before:
        return
    try:
        if not rule.dry_run:
            remove(found)
    except OSError:
        pruned.failed += 1
        return
    pruned.files += 1
    pruned.bytes += found.bytes
