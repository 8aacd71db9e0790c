# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""The agent's directories: made, probed, and named when they cannot be written."""

from __future__ import annotations

import errno
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from boots import AGENT_UID, boot_process, reachable, settings_in, tree

from agentd.agent.boot import mend
from agentd.agent.directories import (
    BootFailed,
    make_directories,
    probe,
    require_writable,
    sentence,
)
from agentd.agent.settings import AgentSettings


@pytest.fixture
def settings(tmp_path: Path) -> AgentSettings:
    """The settings of an agent whose mounted directories are there."""
    return settings_in(tmp_path)


def test_an_empty_memory_gets_every_directory(settings: AgentSettings) -> None:
    """E01, A02."""
    found = make_directories(settings)

    assert found == ([], [])
    assert sorted(tree(Path(settings.working_directory))) == [
        ".claude",
        ".claude/projects",
        ".claude/skills",
        "conversations",
        "skills",
    ]


def test_a_second_run_changes_nothing(settings: AgentSettings) -> None:
    make_directories(settings)
    before = tree(Path(settings.working_directory))

    make_directories(settings)

    assert tree(Path(settings.working_directory)) == before


@pytest.mark.parametrize("name", ["conversations", ".claude", ".claude/projects"])
@pytest.mark.parametrize("kind", ["file", "fifo", "dangling link"])
def test_what_stands_in_a_directorys_place_is_kept_beside(
    settings: AgentSettings, name: str, kind: str
) -> None:
    path = Path(settings.working_directory) / name
    path.parent.mkdir(exist_ok=True)
    if kind == "file":
        path.write_text("mine")
    elif kind == "fifo":
        os.mkfifo(path)
    else:
        path.symlink_to("nowhere")

    errors, warnings = make_directories(settings)

    assert errors == [] and path.is_dir()
    assert len(warnings) == 1 and f"{path}.kept-1" in warnings[0]
    assert os.path.lexists(f"{path}.kept-1")


def test_sessions_that_a_link_leads_out_of_the_memory_are_told_of(
    settings: AgentSettings, tmp_path: Path
) -> None:
    (tmp_path / "elsewhere").mkdir()
    Path(settings.config_directory).symlink_to(tmp_path / "elsewhere")

    _errors, warnings = make_directories(settings)

    assert len(warnings) == 1 and "elsewhere, outside of" in warnings[0]


def test_what_a_kill_left_of_a_write_is_removed(settings: AgentSettings) -> None:
    make_directories(settings)
    left = Path(settings.config_directory) / ".settings.json.0123456789abcdef"
    left.write_text("{")
    kept = Path(settings.config_directory) / ".settings.json.mine"
    kept.write_text("{")

    make_directories(settings)

    assert not left.exists() and kept.exists()


def test_a_memory_that_is_not_there_is_never_made(tmp_path: Path) -> None:
    """E08, E13: state beside its mount would be lost with the container."""
    settings = settings_in(tmp_path, working_directory=str(tmp_path / "none"))

    with pytest.raises(BootFailed, match=rf"{tmp_path}/none.*uid {os.geteuid()}"):
        require_writable(settings)

    assert not (tmp_path / "none").exists()


def test_a_probe_leaves_nothing_behind(settings: AgentSettings) -> None:
    make_directories(settings)

    result = probe(settings)

    assert result == {
        "ok": True,
        "volumes": {"memory": True, "sessions": True, "skill_data": True},
        "errors": [],
    }
    assert os.listdir(settings.skill_data_directory) == []


def test_a_missing_directory_is_named_with_what_is_above_it(
    settings: AgentSettings, tmp_path: Path
) -> None:
    make_directories(settings)
    lost = replace(settings, skill_data_directory=str(tmp_path / "none" / "here"))

    result = probe(lost)

    error = str(result["errors"])
    assert str(tmp_path / "none" / "here") in error
    assert f"uid {os.geteuid()}" in error
    assert f"{tmp_path} belongs to" in error


@pytest.mark.root
@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, for another uid")
def test_a_foreign_owner_is_named_by_the_uid_that_runs(
    settings: AgentSettings, tmp_path: Path
) -> None:
    reachable(tmp_path)
    Path(settings.working_directory).chmod(0o755)

    finished = boot_process(settings, uid=AGENT_UID)

    assert finished.returncode == 1
    assert f"as uid {AGENT_UID}" in finished.stderr
    owner = f"{settings.working_directory} belongs to 0:0, mode 0755"
    assert owner in finished.stderr


def test_a_file_in_the_configurations_place_does_not_end_every_boot(
    settings: AgentSettings,
) -> None:
    """E13: what the agent itself put there is kept beside."""
    config = Path(settings.config_directory)
    config.write_text("mine")

    require_writable(settings)
    errors, warnings = make_directories(settings)

    assert errors == [] and "was no directory" in warnings[0]
    assert config.with_name(".claude.kept-1").read_text() == "mine"


def test_a_link_to_sessions_that_are_not_there_is_named(
    settings: AgentSettings,
) -> None:
    """E13: nothing begins anew while the sessions may come back."""
    config = Path(settings.config_directory)
    config.symlink_to("elsewhere")

    with pytest.raises(BootFailed, match=r"leads nowhere.*Bring back"):
        require_writable(settings)
    assert config.is_symlink()


def test_a_directory_in_the_probes_place_is_kept_beside(
    settings: AgentSettings,
) -> None:
    """J03: the agent cannot make its own probe fail by a name."""
    make_directories(settings)
    planted = Path(settings.working_directory) / ".agentd-probe"
    planted.mkdir()
    (planted / "note").write_text("mine")

    require_writable(settings)

    assert (planted.with_name(".agentd-probe.kept-1") / "note").read_text() == "mine"


def test_probes_and_repairs_at_one_time_do_not_disturb_each_other(
    settings: AgentSettings,
) -> None:
    """J03: a healthy volume is found healthy by each of them."""
    make_directories(settings)

    def look(number: int) -> object:
        return mend(settings) if number % 3 == 0 else probe(settings, False)["errors"]

    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(look, range(600)))

    assert [errors for errors in found if errors] == []


def test_a_full_disk_is_told_with_what_helps() -> None:
    """E13."""
    full = sentence("write to", Path("/"), OSError(errno.ENOSPC, "No space left"))

    assert "give it more room" in full and "repair" not in full
