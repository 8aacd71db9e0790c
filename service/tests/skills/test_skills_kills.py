# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""Random edits and removals against a model of the rules; kills at random lines."""

from __future__ import annotations

import os
import random
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from agentd.skills import kernel
from agentd.skills.sync import sync_skills
from agentd.skills.values import Limits

from .world import World, read, remove, write

NAMES = ("a", "b", "c", "d")
ROUNDS = 60
KILLS = 150
LINES_OF_A_SYNC = 6000
FILES = ("SKILL.md", "more/data")


def no_exchange(_one: int, _name: str, _other: int, _to: str) -> bool:
    """A file system that cannot swap two names at one instant."""
    return False


@dataclass
class Model:
    """The rules on texts: org, built-in and user are what each tier holds.

    Base is the tier and text that the last finished sync put in the copies.
    """

    org: dict[str, str] = field(default_factory=dict)
    built_in: dict[str, str] = field(default_factory=dict)
    user: dict[str, str] = field(default_factory=dict)
    copies: dict[str, str] = field(default_factory=dict)
    base: dict[str, tuple[str, str]] = field(default_factory=dict)
    kept: set[str] = field(default_factory=set)

    def sync(self) -> None:
        """Do to the texts what a sync does to the skills."""
        for name in NAMES:
            copy, base = self.copies.get(name), self.base.get(name)
            sources = [tier.get(name) for tier in (self.org, self.built_in, self.user)]
            if copy is not None and copy not in sources:
                self._save(name, copy, base)
            self.copies.pop(name, None)
            self.base.pop(name, None)
            for tier in ("org", "built_in", "user"):
                text = getattr(self, tier).get(name)
                if text is not None:
                    self.copies[name] = text
                    self.base[name] = ("user" if tier == "user" else "managed", text)
                    break

    def _save(self, name: str, copy: str, base: tuple[str, str] | None) -> None:
        if base is None and name not in self.user:
            self.user[name] = copy
        elif base is None:
            self.kept.add(copy)
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

    def happen(self) -> None:
        """Let an edit, a new skill or a removal happen in some place."""
        for _ in range(self.random.randint(1, 5)):
            tier = self.random.choice(("org", "built_in", "user", "copies", "copies"))
            name = self.random.choice(NAMES)
            held = getattr(self.model, tier)
            place = getattr(self.world, tier)
            if name in held and self.random.random() < 0.4:
                del held[name]
                remove(place, name)
                continue
            self._number += 1
            held[name] = f"{tier} {self._number}"
            for file in FILES:
                write(place, name, held[name], file)

    def compare(self) -> None:
        """Assert that the directories hold what the model says, each skill whole."""
        for tier in ("org", "built_in", "user", "copies"):
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


def sync_and_be_killed(
    world: World, line: int, exchange: Callable[[int, str, int, str], bool]
) -> bool:
    """Sync in a process that kills itself at that line; return whether it did."""
    child = os.fork()
    if child == 0:
        left = [line]

        def count(frame: FrameType, event: str, _given: Any) -> Any:
            if "agentd/skills" not in frame.f_code.co_filename:
                return None
            if event in ("line", "return"):
                left[0] -= 1
                if left[0] <= 0:
                    os.kill(os.getpid(), signal.SIGKILL)
            return count

        sys.settrace(count)
        sync_skills(world.places, None, lambda _step: None, Limits(), exchange)
        os._exit(0)
    _pid, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status)


@pytest.mark.parametrize("seed", range(3))
def test_random_changes_come_out_as_the_rules_say(world: World, seed: int) -> None:
    """F01, F03, F05, F06, F08, F09, F10."""
    story = Story(world, seed)
    world.sync()
    for _ in range(ROUNDS):
        story.happen()

        world.sync()
        story.model.sync()

        story.compare()
        assert not world.sync().changed


@pytest.mark.parametrize("exchange", [kernel.exchange, no_exchange])
def test_a_kill_at_any_line_changes_nothing_of_the_next_result(
    world: World, exchange: Callable[[int, str, int, str], bool]
) -> None:
    """F18: whatever the line, the next boot has the full set and nothing is lost."""
    story = Story(world, 18)
    write(world.built_in, "z", "makes the manifest known")
    world.sync()
    remove(world.built_in, "z")
    world.sync()
    killed = 0
    while killed < KILLS:
        story.happen()
        for _ in range(story.random.randint(1, 3)):
            line = story.random.randint(1, LINES_OF_A_SYNC)
            killed += sync_and_be_killed(world, line, exchange)

        sync_skills(world.places, None, lambda _step: None, Limits(), exchange)
        story.model.sync()

        story.compare()


def test_an_edit_between_a_kill_and_the_next_boot_is_never_mistaken(
    world: World,
) -> None:
    """F18: what came from the organisation never becomes a user skill."""
    story = Story(world, 7)
    story.happen()
    world.sync()
    killed = 0
    while killed < KILLS // 2:
        story.happen()
        line = story.random.randint(1, LINES_OF_A_SYNC)
        killed += sync_and_be_killed(world, line, kernel.exchange)
        name = story.random.choice(NAMES)
        if (world.copies / name).exists():
            for file in FILES:
                write(world.copies, name, f"edited {killed}", file)

        world.sync()

        held = {name: whole(world.user, name) for name in names_of(world.user)}
        story.model.user = held
        story.model.copies = {
            name: whole(world.copies, name) for name in names_of(world.copies)
        }
        assert not any(text.startswith(("org", "built")) for text in held.values())
        for name in NAMES:
            tiers = (story.model.org, story.model.built_in, held)
            texts = [tier[name] for tier in tiers if name in tier]
            assert story.model.copies.get(name) == (texts[0] if texts else None)
        assert not world.sync().changed


def names_of(place: Path) -> list[str]:
    """Return the names of the skills in a directory."""
    return [name for name in os.listdir(place) if not name.startswith(".")]
