# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""Versions of skills that are kept beside: hidden, in the user directory."""

from __future__ import annotations

import os
from contextlib import suppress

from agentd.skills.area import Area
from agentd.skills.content import digest_of
from agentd.skills.tree import OPEN_DIRECTORY, SkillRefused, Tree, scan
from agentd.skills.values import Limits

KEPT = ".agentkeep-conflicts"
LABEL = "shelf"
_SHOWN_DIGITS = 12
_ATTEMPTS = 20


class Shelf:
    """Keeps a version once, however often it is brought."""

    def __init__(self, area: Area, limits: Limits) -> None:
        self._area = area
        self._limits = limits

    def keep(self, source: tuple[int, str], skill: str, tree: Tree) -> tuple[str, bool]:
        """Keep a copy of that version; return its place, and whether it is new."""
        with suppress(FileExistsError):
            os.mkdir(KEPT, 0o700, dir_fd=self._area.root)
            os.fsync(self._area.root)
        kept = os.open(KEPT, OPEN_DIRECTORY, dir_fd=self._area.root)
        try:
            digest = digest_of(*source, tree)
            name, is_there = self._place(kept, skill, digest)
            if not is_there:
                self._make_room(kept)
                self._area.discard(f"{LABEL}.{skill}")
                self._area.stage(skill, source, tree, label=LABEL)
                self._area.move_staged(f"{LABEL}.{skill}", kept, name)
            return f"{KEPT}/{name}", not is_there
        finally:
            os.close(kept)

    def _place(self, kept: int, skill: str, digest: str) -> tuple[str, bool]:
        for number in range(_ATTEMPTS):
            suffix = f"-{number}" if number else ""
            name = f"{skill}.{digest[:_SHOWN_DIGITS]}{suffix}"
            try:
                if digest_of(kept, name, scan(kept, name, self._limits)) == digest:
                    return name, True
            except FileNotFoundError:
                return name, False
            except (OSError, SkillRefused):
                continue
        raise SkillRefused(f"{_ATTEMPTS} other things lie where it would be kept")

    def _make_room(self, kept: int) -> None:
        with os.scandir(kept) as entries:
            for number, _entry in enumerate(entries, start=1):
                if number >= self._limits.conflict_copies:
                    raise SkillRefused(
                        f"{number} versions are kept in {KEPT} already; "
                        "remove those that nobody needs"
                    )
