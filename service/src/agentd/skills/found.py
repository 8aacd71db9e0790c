# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""What lies in one directory of skills, and what of it is no skill."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from agentd.skills.area import MARK, STAGING
from agentd.skills.names import is_name
from agentd.skills.shelf import KEPT
from agentd.skills.tree import SkillRefused, Tree, kind_of, scan
from agentd.skills.values import Limits

OWN_NAMES = frozenset({MARK, STAGING, KEPT})


@dataclass
class Found:
    """The skills of a directory; root is None where there is none.

    Refused are those over a limit, failed those that the system would not let us
    read, others what lies there under a skill's name and is no directory. Readable
    is false where the directory itself could not be read: its skills are unknown.
    """

    path: Path | None
    root: int | None = None
    readable: bool = True
    trees: dict[str, Tree] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)
    others: dict[str, str] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    marked: bool = False
    _entries: int = 0
    _bytes: int = 0

    def place(self, name: str) -> str:
        """Return the path of a skill, for people."""
        return str((self.path or Path("/")) / name)

    def names(self) -> frozenset[str]:
        """Return the names of the skills, readable or not."""
        return frozenset(self.trees) | frozenset(self.refused) | frozenset(self.failed)

    def list_all(self, limits: Limits) -> None:
        """Look at everything in the directory; nothing is opened but directories."""
        if self.root is None:
            return
        try:
            names = self._listed(self.root, limits)
        except (OSError, SkillRefused) as error:
            self.readable = False
            self.warnings.append(unread(self.path, error))
            return
        self.marked = MARK in names
        for name in names:
            self._look(self.root, name, limits)

    def _listed(self, root: int, limits: Limits) -> list[str]:
        names = []
        with os.scandir(root) as entries:
            for entry in entries:
                names.append(entry.name)
                if len(names) > limits.listed:
                    raise SkillRefused(f"it holds more than {limits.listed} names")
        return sorted(names)

    def _look(self, root: int, name: str, limits: Limits) -> None:
        if name in OWN_NAMES:
            return
        try:
            status = os.stat(name, dir_fd=root, follow_symlinks=False)
            if not stat.S_ISDIR(status.st_mode):
                self.others[name] = kind_of(status.st_mode)
                self._ignore(name, f"it is {self.others[name]}, not a directory")
            elif not is_name(name):
                self._ignore(name, "a skill's name is printable and not hidden")
            else:
                self._check_room(limits)
                self.trees[name] = tree = scan(root, name, limits)
                self._entries += tree.entries
                self._bytes += tree.bytes
        except FileNotFoundError:
            # It, or a part of it, went away just now: not the same as removed.
            self.refuse(name, SkillRefused("it changed while it was read"))
        except SkillRefused as error:
            self.refuse(name, error)
        except OSError as error:
            self.fail(name, error)

    def _check_room(self, limits: Limits) -> None:
        if len(self.trees) >= limits.skills:
            raise SkillRefused(f"there are more than {limits.skills} skills")
        if self._entries > limits.all_entries:
            raise SkillRefused(
                f"the skills have more than {limits.all_entries} files together"
            )
        if self._bytes > limits.all_bytes:
            raise SkillRefused(
                f"the skills have more than {limits.all_bytes} bytes together"
            )

    def refuse(self, name: str, error: SkillRefused) -> None:
        """Note that a skill is over a limit, or moves while it is read."""
        self.refused[name] = str(error)
        self.warnings.append(f"Cannot take the skill {self.place(name)}: {error}.")

    def fail(self, name: str, error: OSError) -> None:
        """Note that a skill cannot be read."""
        self.failed[name] = str(error.strerror)
        self.warnings.append(
            f"Cannot read the skill {self.place(name)}: {error.strerror}. "
            f"Let uid {os.geteuid()} read it."
        )

    def notes(self) -> Iterator[str]:
        """Yield the warnings: of the directory, then of what skills leave out."""
        yield from self.warnings
        for name, tree in self.trees.items():
            for what in tree.left_out:
                yield f"In the skill {self.place(name)}, {what}. It is not copied."

    def _ignore(self, name: str, why: str) -> None:
        self.warnings.append(f"Ignored {self.place(name)}: {why}.")


def unread(path: Path | None, error: Exception) -> str:
    """Return the warning that a whole directory of skills cannot be read."""
    reason = error.strerror if isinstance(error, OSError) else error
    return (
        f"Cannot read the skills in {path}: {reason}. What came from there stays "
        f"as it is. Let uid {os.geteuid()} read it, or mount it again."
    )
