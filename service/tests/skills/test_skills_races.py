# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""What is written while a sync reads or replaces it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import agentd
from agentd.skills import kernel
from agentd.skills.sync import sync_skills
from agentd.skills.values import Limits

from .world import World, content, in_a_child, read, write


def racing(edit: Callable[[], object]) -> Callable[[int, str, int, str], bool]:
    """Return an exchange before which an agent still writes."""

    def exchange(directory: int, name: str, other: int, to: str) -> bool:
        edit()
        return kernel.exchange(directory, name, other, to)

    return exchange


def test_an_edit_while_a_copy_is_replaced_is_kept_beside(world: World) -> None:
    """F06."""
    write(world.user, "x", "first")
    world.sync()
    write(world.user, "x", "second")
    exchange = racing(lambda: write(world.copies, "x", "at that moment"))

    report = sync_skills(world.places, None, lambda _step: None, Limits(), exchange)

    assert read(world.copies, "x") == "second"
    assert list(world.kept().values()) == ["at that moment"]
    assert [conflict.name for conflict in report.conflicts] == ["x"]
    assert not world.sync().changed


def test_an_edit_of_the_user_skill_while_it_is_saved_to_is_kept_beside(
    world: World,
) -> None:
    """F06."""
    write(world.user, "x", "first")
    world.sync()
    write(world.copies, "x", "by the agent")
    exchange = racing(lambda: write(world.user, "x", "by the user"))

    sync_skills(world.places, None, lambda _step: None, Limits(), exchange)

    assert read(world.user, "x") == "by the agent"
    assert list(world.kept().values()) == ["by the user"]


def test_an_edit_and_a_kill_at_the_same_moment_lose_nothing(world: World) -> None:
    """F06, F18."""
    write(world.user, "x", "first")
    world.sync()
    write(world.user, "x", "second")

    def exchange(directory: int, name: str, other: int, to: str) -> bool:
        write(world.copies, "x", "at that moment")
        kernel.exchange(directory, name, other, to)
        os.kill(os.getpid(), signal.SIGKILL)
        return True

    def sync() -> None:
        sync_skills(world.places, None, lambda _step: None, Limits(), exchange)

    assert in_a_child(sync)
    report = world.sync()

    assert read(world.copies, "x") == "second"
    assert list(world.kept().values()) == ["at that moment"]
    assert [conflict.name for conflict in report.conflicts] == ["x"]


def test_a_source_that_changes_while_it_is_copied_is_taken_the_next_time(
    world: World,
) -> None:
    """F18: what is put is one version, whole."""
    big = write(world.user, "x", "0" * 3_000_000)
    program = (
        "import sys, time\n"
        "while True:\n"
        "    open(sys.argv[1], 'r+').write('1' * 10)\n"
        "    time.sleep(0.0005)\n"
    )
    writer = subprocess.Popen([sys.executable, "-c", program, str(big)])
    try:
        reports = [world.sync() for _unused in range(20)]
    finally:
        writer.kill()
        writer.wait()

    world.sync()

    assert read(world.copies, "x") == read(world.user, "x")
    assert world.kept() == {}
    assert not any("Traceback" in str(one.warnings) for one in reports)


def test_links_that_come_and_go_while_it_is_read_lead_nowhere(world: World) -> None:
    """F12: an agent that swaps files and directories for links gets nothing copied."""
    outside = world.root / "outside"
    write(world.root, "outside", "secret", "data")
    skill = write(world.copies, "x", "x").parent
    write(world.copies, "x", "own", "sub/data")
    write(world.copies, "x", "own", "data")
    (world.root / "to-directory").symlink_to(outside)
    (world.root / "to-file").symlink_to(outside / "data")
    program = (
        "import os, sys\n"
        "from agentd.skills.kernel import exchange\n"
        "root, skill = (os.open(one, os.O_RDONLY) for one in sys.argv[1:])\n"
        "while True:\n"
        "    exchange(root, 'to-directory', skill, 'sub')\n"
        "    exchange(root, 'to-file', skill, 'data')\n"
    )
    path = {"PYTHONPATH": str(Path(agentd.__file__).parents[1])}
    command = [sys.executable, "-c", program, str(world.root), str(skill)]
    attacker = subprocess.Popen(command, env=path)
    refused = 0
    try:
        while not (skill / "sub").is_symlink():
            assert attacker.poll() is None
        for _unused in range(100):
            refused += bool(world.sync().warnings)
            write(world.copies, "x", os.urandom(8).hex())
    finally:
        attacker.kill()
        attacker.wait()

    assert refused > 0
    assert "secret" not in json.dumps([content(world.user), world.kept()])
    assert (outside / "data").read_text() == "secret"
