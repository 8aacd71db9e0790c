# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""A model of the rules on texts, and a world to which the same happens."""

from __future__ import annotations

import os
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from .world import World, read, remove, write

NAMES = ("a", "b", "c", "d", "e", "f", "g")
MANAGED = ("org", "built_in", "uploaded")
TIERS = (*MANAGED, "user", "copies", "copies")
FILES = ("SKILL.md", "more/data")


@dataclass
class Model:
    """The rules on texts: org, built-in, uploaded and user are what each tier holds.

    Base is the tier and text that the last finished sync put in the copies.
    """

    org: dict[str, str] = field(default_factory=dict)
    built_in: dict[str, str] = field(default_factory=dict)
    uploaded: dict[str, str] = field(default_factory=dict)
    user: dict[str, str] = field(default_factory=dict)
    copies: dict[str, str] = field(default_factory=dict)
    base: dict[str, tuple[str, str]] = field(default_factory=dict)
    kept: set[str] = field(default_factory=set)

    def sync(self, selection: Sequence[str] | None = None) -> None:
        """Do to the texts what a sync does to the skills."""
        for name in NAMES:
            selected = selection is None or name in selection
            copy, base = self.copies.get(name), self.base.get(name)
            tiers = (self.org, self.built_in, self.uploaded, self.user)
            sources = [tier.get(name) for tier in tiers]
            if copy is not None and copy not in sources:
                self._save(name, copy, base, selected)
            if not selected and base is None:
                continue
            self.copies.pop(name, None)
            self.base.pop(name, None)
            for tier in (*MANAGED, "user") if selected else ():
                text = getattr(self, tier).get(name)
                if text is not None:
                    self.copies[name] = text
                    self.base[name] = ("user" if tier == "user" else "managed", text)
                    break

    def _save(
        self, name: str, copy: str, base: tuple[str, str] | None, selected: bool
    ) -> None:
        if base is None and name not in self.user:
            self.user[name] = copy
        elif base is None:
            self.kept |= {copy} if selected else set()
        elif base[0] == "user" and copy != base[1]:
            if self.user.get(name) == base[1]:
                self.user[name] = copy
            else:
                self.kept.add(copy)


class Story:
    """A world and its model, to which the same happens."""

    def __init__(self, world: World, seed: int) -> None:
        self.world = world
        self.model = Model()
        self.random = random.Random(seed)
        self._number = 0

    def happen(self, tiers: tuple[str, ...] = TIERS) -> None:
        """Let an edit, a new skill or a removal happen in some place."""
        for _unused in range(self.random.randint(1, 6)):
            tier, name = self.random.choice(tiers), self.random.choice(NAMES)
            held = getattr(self.model, tier)
            if name in held and self.random.random() < 0.4:
                self.remove(tier, name)
            else:
                self.write(tier, name)

    def write(self, tier: str, name: str) -> None:
        """Give a skill a text that no other ever had."""
        self._number += 1
        text = f"{tier} {self._number}"
        getattr(self.model, tier)[name] = text
        for file in FILES:
            write(getattr(self.world, tier), name, text, file)

    def remove(self, tier: str, name: str) -> None:
        """Remove a skill from a tier."""
        del getattr(self.model, tier)[name]
        remove(getattr(self.world, tier), name)

    def sync(self, selection: Sequence[str] | None = None) -> None:
        """Sync both."""
        self.world.sync(selection)
        self.model.sync(selection)

    def compare(self) -> None:
        """Assert that the directories hold what the model says, each skill whole."""
        for tier in (*MANAGED, "user", "copies"):
            place: Path = getattr(self.world, tier)
            found = {
                name: whole(place, name)
                for name in os.listdir(place)
                if not name.startswith(".")
            }
            assert found == getattr(self.model, tier), tier
        assert self.model.kept <= set(self.world.kept().values())
        assert not (self.world.copies / ".agentkeep-staging").exists()
        assert not (self.world.user / ".agentkeep-staging").exists()


def whole(place: Path, name: str) -> str:
    """Return the text of a skill; each of its files has to have the same."""
    texts = {read(place, name, file) for file in FILES}
    assert len(texts) == 1
    return texts.pop()
