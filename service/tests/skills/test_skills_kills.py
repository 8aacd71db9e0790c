# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""Random edits and removals against a model of the rules; kills at random lines."""

from __future__ import annotations

import os
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from agentd.skills import kernel
from agentd.skills.sync import sync_skills
from agentd.skills.values import Limits

from .model import NAMES, Story, whole
from .world import World, in_a_child

ROUNDS = 60
KILLS = 60
LINES_OF_A_SYNC = 5000
CHANGES = frozenset(
    {"os.rename", "os.mkdir", "os.rmdir", "os.remove", "os.symlink", "os.utime"}
)


@pytest.fixture
def quick_path() -> Iterator[Path]:
    """A directory in memory where there is one: a kill needs no disk."""
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="skills-", dir=memory) as directory:
        yield Path(directory)


@pytest.fixture
def world(quick_path: Path) -> World:
    """Empty directories, as a first boot finds them."""
    return World(quick_path).lay_out()


def no_exchange(_one: int, _name: str, _other: int, _to: str) -> bool:
    """A file system that cannot swap two names at one instant."""
    return False


Exchange = Callable[[int, str, int, str], bool]


def sync_in_a_child(
    world: World, before: Callable[[Callable[[], None]], Exchange], point: int
) -> bool:
    """Sync in a process that kills itself at that point; return whether it did."""

    def sync() -> None:
        left = [point]

        def pass_by() -> None:
            left[0] -= 1
            if left[0] <= 0:
                os.kill(os.getpid(), signal.SIGKILL)

        exchange = before(pass_by)
        sync_skills(world.places, None, lambda _step: None, Limits(), exchange)

    return in_a_child(sync)


def at_lines(exchange: Exchange) -> Callable[[Callable[[], None]], Exchange]:
    """Return what passes by at each line of the sync."""

    def start(pass_by: Callable[[], None]) -> Exchange:
        def trace(frame: FrameType, event: str, _given: Any) -> Any:
            if "agentd/skills" not in frame.f_code.co_filename:
                return None
            if event in ("line", "return"):
                pass_by()
            return trace

        sys.settrace(trace)
        return exchange

    return start


def at_changes(exchange: Exchange) -> Callable[[Callable[[], None]], Exchange]:
    """Return what passes by before each change of the file system."""

    def start(pass_by: Callable[[], None]) -> Exchange:
        def hook(event: str, given: tuple[Any, ...]) -> None:
            writes = event == "open" and given[2] & (os.O_WRONLY | os.O_CREAT)
            if writes or event in CHANGES:
                pass_by()

        def counted(*given: Any) -> bool:
            pass_by()
            result = exchange(*given)
            pass_by()
            return result

        sys.addaudithook(hook)
        return counted

    return start


@pytest.mark.parametrize("seed", range(3))
def test_random_changes_come_out_as_the_rules_say(world: World, seed: int) -> None:
    """F01, F03, F05, F06, F08, F09, F10, F17, F19."""
    story = Story(world, seed)
    world.sync()
    for _unused in range(ROUNDS):
        story.happen()
        selection = story.random.choice([None, None, NAMES[:3], NAMES[2:6], ()])

        story.sync(selection)

        story.compare()
        assert not world.sync(selection).changed


def a_bit_of_everything(story: Story) -> None:
    """Lay out, sync, and change something for each rule."""
    story.world.sync()
    for name in "abcdg":
        story.write("user", name)
    story.write("org", "e")
    story.sync()
    story.write("copies", "a")
    story.write("copies", "b")
    story.write("org", "b")
    story.write("copies", "c")
    story.write("user", "c")
    story.remove("user", "d")
    story.remove("org", "e")
    story.write("copies", "f")
    story.write("org", "g")


@pytest.mark.parametrize("exchange", [kernel.exchange, no_exchange])
def test_a_kill_between_any_two_changes_does_not_alter_the_next_result(
    quick_path: Path, exchange: Exchange
) -> None:
    """F18: each point in turn; the next boot has the full set, nothing is lost."""
    for point in range(1, 1000):
        story = Story(World(quick_path / str(point)).lay_out(), point)
        a_bit_of_everything(story)

        killed = sync_in_a_child(story.world, at_changes(exchange), point)
        story.sync()

        story.compare()
        assert not story.world.sync().changed
        if not killed:
            break
    assert 50 < point < 1000


@pytest.mark.parametrize("exchange", [kernel.exchange, no_exchange])
def test_kills_at_random_lines_do_not_alter_the_next_result(
    world: World, exchange: Exchange
) -> None:
    """F18."""
    story = Story(world, 18)
    a_bit_of_everything(story)
    killed = 0
    while killed < KILLS:
        story.happen()
        for _unused in range(story.random.randint(1, 3)):
            line = story.random.randint(1, LINES_OF_A_SYNC)
            killed += sync_in_a_child(world, at_lines(exchange), line)

        story.sync()

        story.compare()


def test_a_change_between_a_kill_and_the_next_boot_is_never_mistaken(
    quick_path: Path,
) -> None:
    """F18: what came from the organisation never becomes a user skill."""
    for point in range(1, 1000, 2):
        story = Story(World(quick_path / str(point)).lay_out(), point)
        a_bit_of_everything(story)

        killed = sync_in_a_child(story.world, at_changes(kernel.exchange), point)
        story.remove("org", "b")
        story.remove("org", "g")
        story.write("built_in", "a")
        if point % 4 == 1 and (story.world.copies / "b").exists():
            story.write("copies", "b")
        story.world.sync()

        held = {name: whole(story.world.user, name) for name in names_of(story)}
        assert not any(text.startswith(("org", "built")) for text in held.values())
        assert whole(story.world.copies, "a") == story.model.built_in["a"]
        assert whole(story.world.copies, "b") == held["b"]
        assert whole(story.world.copies, "g") == held["g"] == story.model.user["g"]
        assert not story.world.sync().changed
        if not killed:
            break


def names_of(story: Story) -> list[str]:
    """Return the names of the user skills."""
    return [one for one in os.listdir(story.world.user) if not one.startswith(".")]
