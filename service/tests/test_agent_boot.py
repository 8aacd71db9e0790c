# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""The boot as a whole: its order, its repetition, its refusals, its warnings."""

from __future__ import annotations

import asyncio
import json
import os
from dataclasses import replace
from pathlib import Path

import pytest
from boots import (
    AGENT_UID,
    boot_process,
    booted,
    reachable,
    settings_in,
    skill,
    tree,
)
from conftest import RunningStack, until

from agentd.agent.boot import STEPS
from agentd.agent.condition import condition
from agentd.agent.settings import AgentSettings

as_root = pytest.mark.skipif(
    os.geteuid() != 0, reason="needs root, for mounts and uids"
)


@pytest.fixture
def settings(tmp_path: Path) -> AgentSettings:
    """The settings of an agent with empty mounts."""
    return settings_in(tmp_path)


def test_empty_mounts_are_all_that_a_boot_needs(settings: AgentSettings) -> None:
    """E01."""
    result, _log = booted(settings)

    assert result.errors == () and result.warnings == ()
    found = condition(settings, result)
    assert found["ok"] is True and found["retention_swept_at"] is None
    config = json.loads((Path(settings.config_directory) / "settings.json").read_text())
    assert config["cleanupPeriodDays"] == 3650


def test_the_steps_are_taken_and_logged_in_order(settings: AgentSettings) -> None:
    """E02: the last one, serve, is logged when the process serves."""
    _result, log = booted(settings)

    steps = [line["step"] for line in log if line["event"] == "boot_step"]
    assert steps == list(STEPS[:-1])


def test_five_boots_give_the_same_tree(tmp_path: Path) -> None:
    """E03, E09, E15: with everything there, nothing is made, moved or written again."""
    (tmp_path / "config").mkdir()
    settings = settings_in(
        tmp_path,
        home_directory=str(tmp_path / "home"),
        config_directory=str(tmp_path / "config"),
    )
    skill(tmp_path / "built-in", "one")
    skill(tmp_path / "org" / "skills", "two")
    skill(tmp_path / "memory" / "skills", "three")
    skill(tmp_path / "config" / "skills", "made-at-run-time")
    (tmp_path / "memory" / "CLAUDE.md").write_text("Mine.")
    booted(settings)
    before = tree(tmp_path)

    for _boot in range(4):
        result, _log = booted(settings)
        assert result.errors == ()

    assert tree(tmp_path) == before
    assert (tmp_path / "memory" / "CLAUDE.md").read_text() == "Mine."


def test_only_what_is_configured_is_made(tmp_path: Path) -> None:
    """E08."""
    places = ("/data/memory", "/data/store", "/data/skill-data", "/data/org")
    before = [os.path.lexists(place) for place in places]

    booted(settings_in(tmp_path))

    assert [os.path.lexists(place) for place in places] == before
    assert sorted(os.listdir(tmp_path)) == ["memory", "skill-data"]


def test_a_dangling_link_among_the_skills_stops_no_boot(
    settings: AgentSettings, tmp_path: Path
) -> None:
    """E11."""
    for place in ("built-in", "org/skills", "memory/skills", "memory/.claude/skills"):
        (tmp_path / place).mkdir(parents=True)
        (tmp_path / place / f"dangling-{place[:3]}").symlink_to("nowhere")
    skill(tmp_path / "memory" / "skills", "good")

    result, _log = booted(settings)

    assert result.errors == ()
    assert any("dangling" in warning for warning in result.warnings)
    copy = Path(settings.config_directory) / "skills" / "good" / "SKILL.md"
    assert copy.is_file()


def test_legacy_variables_and_skills_are_answered_with_a_warning(
    tmp_path: Path,
) -> None:
    """D14, F14: the new name is told, and the value is not."""
    skill(tmp_path / "skills", "old")
    settings = settings_in(tmp_path, environment={"SKILLS_DIR": "/secret-value"})

    result, _log = booted(settings, {"SESSIONS_DIR": "/s", "USER_SKILLS_DIR": "/u"})

    text = "\n".join(result.warnings)
    assert "SESSIONS_DIR is not read" in text and '".claude"' in text
    assert "USER_SKILLS_DIR is not read" in text
    assert "SKILLS_DIR" in text and "org_skills_directory" in text
    assert "secret-value" not in text
    assert len(result.warnings) == 3


def test_a_persona_that_cannot_be_given_is_a_fault(
    settings: AgentSettings, tmp_path: Path
) -> None:
    result, _log = booted(settings)
    (tmp_path / "org").mkdir()
    (tmp_path / "org" / "CLAUDE.md").write_text("x" * 70_000)

    found = condition(settings, result)

    assert found["ok"] is False
    assert "persona" in str(found["errors"]) and "65536" in str(found["errors"])


def test_the_time_of_the_last_sweep_is_told(settings: AgentSettings) -> None:
    """E07: what removes transcripts leaves a mark."""
    result, _log = booted(settings)
    mark = Path(settings.config_directory) / ".last-cleanup"
    mark.write_text("x")
    os.utime(mark, (5000, 5000))

    assert condition(settings, result)["retention_swept_at"] == 5000.0

    mark.unlink()
    mark.symlink_to("/etc/passwd")
    assert condition(settings, result)["retention_swept_at"] is None


def test_warnings_without_end_fit_an_answer(settings: AgentSettings) -> None:
    result, _log = booted(settings)
    many = replace(result, warnings=tuple("\N{OWL}" * 900 for _unused in range(5000)))

    found = condition(settings, many)["warnings"]

    assert isinstance(found, list) and found[-1].startswith("and ")
    assert len(json.dumps(found)) < 64 * 1024


async def test_an_agent_with_warnings_without_end_is_still_connected(
    running_stack: RunningStack,
) -> None:
    """Control takes a short greeting only; an agent must not lock itself out."""
    async with running_stack() as stack:
        skills = stack.memory() / "skills"
        for number in range(300):
            (skills / f"dangling-{number}").symlink_to("\N{OWL}" * 50)
        side = stack.sides["main"]
        side.terminate()
        await asyncio.to_thread(side.wait)
        await until(lambda: not stack.spawner.states()["main"].connected)

        stack.start_side()
        await stack.until_connected()

        report = stack.spawner.states()["main"].report
        probed = await stack.spawner.call("main", "probe", {}, timeout_seconds=10)

    assert report["ok"] is True and report["drain_seconds"] == 5
    assert isinstance(report["warnings"], list) and isinstance(probed["warnings"], list)
    assert 1 < len(report["warnings"]) < len(probed["warnings"])


@pytest.mark.root
@as_root
def test_a_read_only_memory_ends_the_boot_with_path_uid_and_owner(
    settings: AgentSettings,
) -> None:
    """E13."""
    memory = settings.working_directory

    finished = boot_process(
        settings,
        prepare=f"mount --bind {memory} {memory}; mount -o remount,bind,ro {memory}",
    )

    assert finished.returncode == 1
    assert (
        f"Cannot write to {memory}: Read-only file system as uid 0" in finished.stderr
    )
    assert f"{memory} belongs to 0:0" in finished.stderr


@pytest.mark.root
@as_root
def test_a_full_memory_ends_the_boot(settings: AgentSettings) -> None:
    """E13."""
    memory = settings.working_directory
    prepare = (
        f"mount -t tmpfs -o size=64k none {memory}; "
        f"dd if=/dev/zero of={memory}/fill bs=1k 2>/dev/null || true"
    )

    finished = boot_process(settings, prepare=prepare)

    assert finished.returncode == 1
    assert "No space left on device" in finished.stderr


@pytest.mark.root
@as_root
def test_a_root_owned_configuration_ends_the_boot(
    settings: AgentSettings, tmp_path: Path
) -> None:
    """E13: as the agent's uid, although root could write there."""
    reachable(tmp_path)
    os.chown(settings.working_directory, AGENT_UID, AGENT_UID)
    Path(settings.config_directory).mkdir(mode=0o755)

    finished = boot_process(settings, uid=AGENT_UID)

    assert finished.returncode == 1
    owner = f"{settings.config_directory} belongs to 0:0, mode 0755"
    assert f"as uid {AGENT_UID}; {owner}" in finished.stderr


@pytest.mark.root
@as_root
def test_an_agent_that_took_its_own_right_to_write_gets_it_back(
    settings: AgentSettings, tmp_path: Path
) -> None:
    """E13: a chmod of the agent itself must not lock it out for ever."""
    reachable(tmp_path)
    config = Path(settings.config_directory)
    (config / "projects").mkdir(parents=True)
    for place in (
        settings.skill_data_directory,
        config / "projects",
        config,
        config.parent,
    ):
        os.chown(place, AGENT_UID, AGENT_UID)
        Path(place).chmod(0o500 if place != settings.skill_data_directory else 0o700)

    finished = boot_process(settings, uid=AGENT_UID)

    assert finished.returncode == 0, finished.stderr
    found = json.loads(finished.stdout)
    assert found["errors"] == [] and len(found["warnings"]) == 3
    assert config.stat().st_mode & 0o777 == 0o700


@pytest.mark.root
@as_root
def test_a_uid_of_its_own_boots_in_empty_mounts(
    settings: AgentSettings, tmp_path: Path
) -> None:
    """E01, A11."""
    reachable(tmp_path)
    for place in (settings.working_directory, settings.skill_data_directory):
        os.chown(place, AGENT_UID, AGENT_UID)

    finished = boot_process(settings, uid=AGENT_UID)

    assert finished.returncode == 0, finished.stderr
    assert json.loads(finished.stdout) == {"errors": [], "warnings": []}
    found = Path(settings.config_directory).stat()
    assert (found.st_uid, found.st_mode & 0o777) == (AGENT_UID, 0o750)
