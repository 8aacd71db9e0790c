# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""Real faults: a full file system, foreign owners, read-only mounts, and races."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path

import pytest

import agentd
from agentd.skills import kernel
from agentd.skills.sync import SkillsReport, sync_skills
from agentd.skills.values import Limits

from .world import World, content, in_a_child, read, remove, write

AGENT_UID = 20_101
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root, for mounts")


@pytest.fixture
def mount(tmp_path: Path) -> Iterator[Callable[..., None]]:
    """Mount something, and unmount it at the end."""
    mounted: list[Path] = []

    def mount_it(place: Path, *arguments: str) -> None:
        subprocess.run(["mount", *arguments, str(place)], check=True)
        mounted.append(place)

    yield mount_it
    for place in reversed(mounted):
        subprocess.run(["umount", str(place)], check=True)


def full(world: World, mount: Callable[..., None]) -> None:
    """Let the agent's volume be a file system with no room left."""
    memory = world.root / "memory"
    mount(memory, "-t", "tmpfs", "-o", "size=256k,mode=0755", "tmpfs")
    world.copies.mkdir(parents=True)
    world.user.mkdir()
    write(world.org, "managed", "first")
    world.sync()
    write(world.copies, "managed", "edited")
    write(world.copies, "new", "n" * 20_000)
    write(world.org, "managed", "second")
    with (memory / "filling").open("wb") as file, pytest.raises(OSError, match="28"):
        while True:
            os.write(file.fileno(), b"x" * 4096)


@pytest.mark.root
@needs_root
def test_a_full_file_system_stops_the_clear_and_nothing_is_lost(
    world: World, mount: Callable[..., None]
) -> None:
    """F02."""
    full(world, mount)

    report = world.sync()

    assert world.steps == ["skills_persist", "skills_sync"]
    assert read(world.copies, "managed") == "edited"
    assert read(world.copies, "new") == "n" * 20_000
    warnings = " ".join(report.warnings)
    assert 'Cannot save the skill "new": No space left on device' in warnings
    assert "Nothing was cleared" in warnings
    assert not (world.user / "new").exists()

    (world.root / "memory" / "filling").unlink()
    world.sync()

    assert read(world.copies, "managed") == "second"
    assert read(world.user, "new") == "n" * 20_000


@pytest.mark.root
@needs_root
def test_a_removed_managed_skill_does_not_come_back_after_a_full_file_system(
    world: World, mount: Callable[..., None]
) -> None:
    """F02, F08."""
    full(world, mount)
    remove(world.org, "managed")

    world.sync()
    (world.root / "memory" / "filling").unlink()
    world.sync()

    assert sorted(os.listdir(world.copies)) == ["new"]
    assert sorted(content(world.user)) == ["new/SKILL.md"]


def as_agent(world: World) -> SkillsReport:
    """Sync as another uid; return what it reported."""
    reader, writer = os.pipe()

    def sync() -> None:
        os.setgid(AGENT_UID)
        os.setuid(AGENT_UID)
        report = world.sync()
        values = {"report": asdict(report), "steps": world.steps}
        os.write(writer, json.dumps(values).encode())

    in_a_child(sync)
    os.close(writer)
    with os.fdopen(reader) as answer:
        values = json.loads(answer.read())
    world.steps[:] = values["steps"]
    return SkillsReport(**values["report"])


@pytest.fixture
def agents(world: World) -> World:
    """A world whose memory belongs to the agent's uid."""
    for place in (world.root, *world.root.parents[:2]):
        place.chmod(0o755)
    subprocess.run(
        ["chown", "-R", f"{AGENT_UID}:{AGENT_UID}", str(world.root / "memory")],
        check=True,
    )
    return world


@pytest.mark.root
@needs_root
def test_a_user_directory_of_another_owner_stops_the_clear(agents: World) -> None:
    """F02."""
    write(agents.org, "x", "first")
    as_agent(agents)
    write(agents.copies, "new", "runtime")
    write(agents.org, "x", "second")
    write(agents.org, "y", "missing")
    os.chown(agents.user, 0, 0)

    report = as_agent(agents)

    assert agents.steps == ["skills_persist", "skills_sync"]
    assert read(agents.copies, "x") == "first"
    assert read(agents.copies, "y") == "missing"
    assert read(agents.copies, "new") == "runtime"
    assert any(
        'Cannot save the skill "new": Permission denied as uid 20101' in warning
        for warning in report.warnings
    )

    os.chown(agents.user, AGENT_UID, AGENT_UID)
    as_agent(agents)

    assert read(agents.copies, "x") == "second"
    assert read(agents.user, "new") == "runtime"
    assert (agents.user / "new" / "SKILL.md").stat().st_uid == AGENT_UID


@pytest.mark.root
@needs_root
@pytest.mark.parametrize("tier", ["org", "built_in", "user"])
def test_an_unreadable_source_is_not_taken_for_an_empty_one(
    agents: World, tier: str
) -> None:
    """F08: what cannot be seen was not removed."""
    directory: Path = getattr(agents, tier)
    write(directory, "x", "x")
    as_agent(agents)
    os.chown(directory, 0, 0)
    directory.chmod(0o700)

    report = as_agent(agents)

    assert read(agents.copies, "x") == "x"
    assert not report.removed
    assert any("Permission denied" in warning for warning in report.warnings)


@pytest.mark.root
@needs_root
def test_an_unreadable_skill_keeps_what_was_put_before(agents: World) -> None:
    write(agents.org, "x", "org")
    write(agents.built_in, "x", "built-in")
    as_agent(agents)
    (agents.org / "x" / "SKILL.md").write_text("second")
    (agents.org / "x" / "SKILL.md").chmod(0o600)

    report = as_agent(agents)

    assert read(agents.copies, "x") == "org"
    assert any("Cannot read the skill" in warning for warning in report.warnings)


@pytest.mark.root
@needs_root
def test_what_another_owner_left_in_a_copy_hinders_no_later_sync(
    agents: World,
) -> None:
    """F05, F18."""
    write(agents.org, "x", "first")
    write(agents.user, "mine", "mine")
    os.chown(agents.user / "mine", AGENT_UID, AGENT_UID)
    as_agent(agents)
    write(agents.copies, "x", "of root", "sub/file")
    write(agents.org, "x", "second")
    write(agents.copies, "mine", "edited")

    first = as_agent(agents)
    write(agents.org, "x", "third")
    second = as_agent(agents)

    assert read(agents.copies, "x") == "third"
    assert read(agents.user, "mine") == "edited"
    for report in (first, second):
        assert any("Cannot remove" in warning for warning in report.warnings)
        assert report.effective == ["mine", "x"]


@pytest.mark.root
@needs_root
def test_an_edit_of_a_user_skill_of_another_owner_is_kept_beside(
    agents: World,
) -> None:
    """F06."""
    write(agents.user, "mine", "of root")
    as_agent(agents)
    write(agents.copies, "mine", "edited")

    first = as_agent(agents)
    second = as_agent(agents)
    edited = read(agents.copies, "mine")
    write(agents.org, "mine", "org")
    as_agent(agents)

    assert [len(one.conflicts) for one in (first, second)] == [1, 0]
    assert any("does not belong to uid" in warning for warning in first.warnings)
    assert edited == "edited" and read(agents.copies, "mine") == "org"
    assert read(agents.user, "mine") == "of root"
    assert list(agents.kept().values()) == ["edited"]


@pytest.mark.root
@needs_root
def test_a_place_of_the_organisation_that_cannot_be_seen_is_not_taken_for_absent(
    agents: World,
) -> None:
    """F08, F14."""
    from agentd.skills.places import places_of

    from .test_skill_calls import settings_of

    own = agents.root / "organisation" / "skills"
    own.mkdir(parents=True)
    own.parent.chmod(0o700)
    reader, writer = os.pipe()

    def look() -> None:
        os.setuid(AGENT_UID)
        os.write(writer, str(places_of(settings_of(agents)).org).encode())

    in_a_child(look)
    os.close(writer)
    with os.fdopen(reader) as answer:
        assert answer.read() == str(own)


@pytest.mark.root
@needs_root
def test_read_only_directories_of_a_source_make_copies_that_can_be_replaced(
    agents: World,
) -> None:
    """F13."""
    path = write(agents.org, "x", "first", "docs/a")
    for one in (path, path.parent, path.parent.parent):
        one.chmod(one.stat().st_mode & 0o555)
    as_agent(agents)
    path.write_text("second")

    as_agent(agents)

    assert read(agents.copies, "x", "docs/a") == "second"
    assert os.listdir(agents.copies) == ["x"]


@pytest.mark.root
@needs_root
def test_a_read_only_volume_changes_nothing_and_is_reported(
    world: World, mount: Callable[..., None]
) -> None:
    """F02."""
    write(world.org, "x", "first")
    world.sync()
    write(world.org, "x", "second")
    memory = world.root / "memory"
    mount(memory, "--bind", str(memory))
    subprocess.run(["mount", "-o", "remount,ro,bind", str(memory)], check=True)

    report = world.sync()

    assert content(world.copies) == {"x/SKILL.md": "first"}
    assert any("Read-only file system" in warning for warning in report.warnings)


@pytest.mark.root
@needs_root
def test_an_unchanged_sync_needs_no_writing_at_all(
    world: World, mount: Callable[..., None]
) -> None:
    """F19."""
    write(world.org, "x", "first")
    world.sync()
    memory = world.root / "memory"
    mount(memory, "--bind", str(memory))
    subprocess.run(["mount", "-o", "remount,ro,bind", str(memory)], check=True)

    report = world.sync()

    assert report.warnings == () and report.effective == ["x"]


@pytest.mark.root
@needs_root
def test_the_destination_may_be_a_mount_of_its_own(
    world: World, mount: Callable[..., None]
) -> None:
    mount(world.copies, "-t", "tmpfs", "tmpfs")
    write(world.org, "x", "org")
    write(world.copies, "new", "runtime")

    world.sync()

    assert read(world.copies, "x") == "org"
    assert read(world.user, "new") == "runtime"


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
        reports = [world.sync() for _ in range(20)]
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
        for _ in range(100):
            refused += bool(world.sync().warnings)
            write(world.copies, "x", os.urandom(8).hex())
    finally:
        attacker.kill()
        attacker.wait()

    assert refused > 0
    assert "secret" not in json.dumps([content(world.user), world.kept()])
    assert (outside / "data").read_text() == "secret"
