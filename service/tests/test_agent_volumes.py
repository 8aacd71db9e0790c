# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""The agent's boot and its probe of what it may write."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from agentd.agent.settings import AgentSettings
from agentd.agent.volumes import prepare, probe


@pytest.fixture
def settings(tmp_path: Path) -> AgentSettings:
    """The settings of an agent whose mounted directories are there."""
    for name in ("memory", "skill-data"):
        (tmp_path / name).mkdir()
    return AgentSettings(
        component="agent",
        deployment="demo",
        agent="main",
        working_directory=str(tmp_path / "memory"),
        config_directory=str(tmp_path / "memory" / ".claude"),
        skill_data_directory=str(tmp_path / "skill-data"),
    )


def cli_settings(settings: AgentSettings) -> Path:
    """Return where the CLI keeps the settings of its user."""
    return Path(settings.config_directory) / "settings.json"


def test_the_boot_makes_what_the_cli_needs(settings: AgentSettings) -> None:
    errors = prepare(settings)

    assert errors == []
    assert (Path(settings.config_directory) / "projects").is_dir()
    assert json.loads(cli_settings(settings).read_text()) == {"cleanupPeriodDays": 3650}


def test_the_boot_keeps_what_the_agent_has_set(settings: AgentSettings) -> None:
    prepare(settings)
    cli_settings(settings).write_text('{"model": "x", "cleanupPeriodDays": 30}')

    errors = prepare(settings)

    assert errors == []
    kept = json.loads(cli_settings(settings).read_text())
    assert kept == {"model": "x", "cleanupPeriodDays": 3650}


def test_a_good_settings_file_is_not_written_again(settings: AgentSettings) -> None:
    prepare(settings)
    before = cli_settings(settings).stat()

    prepare(settings)

    assert cli_settings(settings).stat().st_ino == before.st_ino


@pytest.mark.parametrize(
    ("own", "kept"), [("9000", 9000), ("true", 3650), ("0", 3650), ('"long"', 3650)]
)
def test_a_longer_retention_is_kept_and_a_shorter_one_is_not(
    settings: AgentSettings, own: str, kept: int
) -> None:
    """E07."""
    prepare(settings)
    cli_settings(settings).write_text(f'{{"cleanupPeriodDays": {own}}}')

    prepare(settings)

    assert json.loads(cli_settings(settings).read_text())["cleanupPeriodDays"] == kept


@pytest.mark.parametrize("content", ["", "{", "[]"])
def test_a_damaged_settings_file_is_reported_and_left(
    settings: AgentSettings, content: str
) -> None:
    prepare(settings)
    cli_settings(settings).write_text(content)

    errors = prepare(settings)

    assert len(errors) == 1 and "settings.json" in errors[0]
    assert cli_settings(settings).read_text() == content


def test_a_planted_link_is_replaced_and_its_target_left(
    settings: AgentSettings, tmp_path: Path
) -> None:
    prepare(settings)
    target = tmp_path / "target"
    target.write_text("{}")
    cli_settings(settings).unlink()
    cli_settings(settings).symlink_to(target)

    prepare(settings)

    assert target.read_text() == "{}"
    assert not cli_settings(settings).is_symlink()


def test_a_probe_leaves_nothing_behind(settings: AgentSettings) -> None:
    prepare(settings)

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
    prepare(settings)
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
    for place in (tmp_path, *tmp_path.parents[:2]):
        place.chmod(place.stat().st_mode | stat.S_IXOTH | stat.S_IROTH)
    program = (
        "import json, os, sys; from agentd.agent.settings import AgentSettings;"
        "from agentd.agent.volumes import prepare; os.setgid(20101); os.setuid(20101);"
        "print(json.dumps(prepare(AgentSettings(**json.loads(sys.argv[1])))))"
    )
    values = {name: getattr(settings, name) for name in settings.__dataclass_fields__}

    finished = subprocess.run(
        [sys.executable, "-c", program, json.dumps(values)],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": os.pathsep.join(sys.path)},
    )

    errors = json.loads(finished.stdout)
    assert "as uid 20101" in errors[0]
    assert f"{settings.working_directory} belongs to 0:0, mode 0755" in errors[0]
