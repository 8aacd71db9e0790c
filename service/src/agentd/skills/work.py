# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""What a sync does to the directories, one skill at a time."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

from agentd.skills.area import Area
from agentd.skills.content import digest_of
from agentd.skills.decide import Act, Decision, Rescue, Seen
from agentd.skills.manifest import COPY
from agentd.skills.opened import Opened
from agentd.skills.shelf import Shelf
from agentd.skills.tree import SkillRefused, Tree, scan
from agentd.skills.values import USER, Conflict

HOPELESS = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS})


@dataclass
class Work:
    """Does what was decided; notes what was done and what could not be."""

    opened: Opened
    signed: dict[str, dict[str, tuple[str, str]]]
    persisted: list[str] = field(default_factory=list)
    conflicts: list[Conflict] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    left_alone: set[str] = field(default_factory=set)
    forgotten: set[str] = field(default_factory=set)
    put_names: set[str] = field(default_factory=set)
    failed: bool = False
    hopeless: bool = False

    @property
    def changed(self) -> bool:
        """Return whether anything was done."""
        done = (self.persisted, self.conflicts, self.removed, self.put_names)
        return any(done)

    def attempt(self, deed: str, name: str, act: Callable[[], None]) -> bool:
        """Do it; a fault is noted, and this skill is then left as it is."""
        try:
            act()
        except SkillRefused as error:
            # What the manifest says of it may be wrong: it is hashed the next time.
            self.forgotten.add(name)
            self._note(deed, name, str(error))
        except OSError as error:
            self.failed = True
            self.hopeless = self.hopeless or error.errno in HOPELESS
            self._note(deed, name, f"{error.strerror} as uid {os.geteuid()}")
        else:
            return True
        self.left_alone.add(name)
        return False

    def _note(self, deed: str, name: str, why: str) -> None:
        place = self.opened.found[COPY].place(name)
        self.warnings.append(
            f'Cannot {deed} the skill "{name}": {why}. {place} stays as it is.'
        )

    def save(self, name: str, seen: Seen, decision: Decision) -> None:
        """Save the copy in the destination as was decided."""
        tree = self._copy_tree(name)
        source = (self.opened.destination.root, name)
        if decision.rescue is Rescue.ASIDE:
            self._keep(source, name, tree)
            return
        try:
            self._save_as_user(name, seen, decision)
        except PermissionError:
            # The user skill itself belongs to another: the edit needs another place.
            if decision.rescue is not Rescue.SAVE_BACK:
                raise
            copy = self._keep(source, name, tree, again=False)
            if decision.act is Act.LEAVE:
                place = self.opened.found[USER].place(name)
                raise SkillRefused(
                    f"{place} does not belong to uid {os.geteuid()}; the edit is "
                    f"kept in {copy}"
                ) from None

    def _save_as_user(self, name: str, seen: Seen, decision: Decision) -> None:
        tree = self._copy_tree(name)
        source = (self.opened.destination.root, name)
        area = self.opened.user()
        if decision.rescue is Rescue.PERSIST and area.holds(name):
            raise SkillRefused(
                f"something else lies at {self.opened.found[USER].place(name)}"
            )
        copied = area.stage(name, source, tree)
        former = area.put(name)
        if copied.digest != seen.copy:
            self.forgotten.add(name)
        self.signed.setdefault(name, {})[USER] = (copied.signature, copied.digest)
        self.persisted.append(name)
        self._settle(area, former, name, self.opened.found[USER].trees.get(name))

    def remove(self, name: str) -> None:
        """Take the copy out of the destination."""
        area = self.opened.destination
        former = area.take_out(name)
        self._settle(area, former, name, self._known_copy(name))
        self.signed.get(name, {}).pop(COPY, None)
        self.removed.append(name)

    def unlink(self, name: str) -> None:
        """Remove a link from the destination; where it leads to stays as it is."""
        self.opened.destination.unlink(name)
        self.removed.append(name)

    def put(self, name: str, decision: Decision) -> None:
        """Put the winner's copy into the destination, whole."""
        kind = self.opened.found[COPY].others.get(name, "")
        if kind == "a file":
            raise SkillRefused("a file lies in its place; remove it")
        found = self.opened.found[str(decision.tier)]
        if found.root is None:
            raise SkillRefused("its source is gone")
        area, tree = self.opened.destination, found.trees[name]
        copied = area.stage(name, (found.root, name), tree)
        if copied.digest != decision.digest:
            area.discard(f"swap.{name}")
            raise SkillRefused("it changed while it was copied; sync again")
        former = area.put(name)
        self.signed.setdefault(name, {})[COPY] = (copied.signature, copied.digest)
        self.put_names.add(name)
        self._settle(area, former, name, self._known_copy(name))

    def recover(self, area: Area, name: str, former: str, known: set[str]) -> None:
        """Keep what a kill left if it is of no known content, else remove it."""
        with suppress(NotADirectoryError):
            tree = scan(area.staging, former, self.opened.limits)
            source = (area.staging, former)
            if digest_of(*source, tree) not in known:
                self._keep(source, name, tree)
        area.discard(former)

    def _settle(
        self, area: Area, former: str | None, name: str, expected: Tree | None
    ) -> None:
        """Remove what was replaced, unless it was written to since it was seen."""
        if former is None:
            return
        if expected is not None:
            tree = scan(area.staging, former, self.opened.limits)
            if tree.signature != expected.signature:
                self._keep((area.staging, former), name, tree)
        area.discard(former)

    def _keep(
        self, source: tuple[int, str], name: str, tree: Tree, *, again: bool = True
    ) -> str:
        """Keep it beside; again says whether to tell of it if it was kept before."""
        shelf = Shelf(self.opened.user(), self.opened.limits)
        place, is_new = shelf.keep(source, name, tree)
        copy = str(self.opened.places.user / place)
        if is_new or again:
            self.conflicts.append(Conflict(name=name, copy=copy))
        return copy

    def _copy_tree(self, name: str) -> Tree:
        found = self.opened.found[COPY]
        if name in found.refused:
            raise SkillRefused(found.refused[name])
        if name in found.failed:
            raise OSError(errno.EACCES, found.failed[name])
        return found.trees[name]

    def _known_copy(self, name: str) -> Tree | None:
        found = self.opened.found[COPY]
        unread = name in found.refused or name in found.failed
        return None if unread else found.trees.get(name)
