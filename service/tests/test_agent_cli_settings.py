# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""E05, E06, E07: the CLI's settings are merged, and damaged files are kept beside."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from agentd.agent.cli_settings import settle_state_file, write_cli_settings

OURS = {"env": {"CLAUDE_CODE_DISABLE_AUTO_MEMORY": "0"}, "cleanupPeriodDays": 3650}


def settings(config: Path) -> object:
    """Return what the settings file holds."""
    return json.loads((config / "settings.json").read_text())


def test_settings_are_written_where_there_are_none(tmp_path: Path) -> None:
    """E06."""
    assert write_cli_settings(tmp_path, 3650) == []

    assert settings(tmp_path) == OURS


def test_what_the_agent_has_set_is_kept(tmp_path: Path) -> None:
    """E06."""
    hooks = {"PreCompact": [{"hooks": [{"type": "command", "command": "true"}]}]}
    own = {"model": "x", "hooks": hooks, "env": {"A": "1"}, "cleanupPeriodDays": 30}
    (tmp_path / "settings.json").write_text(json.dumps(own))

    assert write_cli_settings(tmp_path, 3650) == []

    kept = {"CLAUDE_CODE_DISABLE_AUTO_MEMORY": "0", "A": "1"}
    assert settings(tmp_path) == {**own, "cleanupPeriodDays": 3650, "env": kept}


def test_an_own_value_of_the_environment_wins(tmp_path: Path) -> None:
    """E06."""
    own = {"env": {"CLAUDE_CODE_DISABLE_AUTO_MEMORY": "1"}}
    (tmp_path / "settings.json").write_text(json.dumps(own))

    write_cli_settings(tmp_path, 3650)

    assert settings(tmp_path) == {**own, "cleanupPeriodDays": 3650}


def test_good_settings_are_not_written_again(tmp_path: Path) -> None:
    """E06, E15."""
    write_cli_settings(tmp_path, 3650)
    before = (tmp_path / "settings.json").stat()

    write_cli_settings(tmp_path, 3650)

    after = (tmp_path / "settings.json").stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


@pytest.mark.parametrize(
    ("own", "kept"),
    [
        ("9000", 9000),
        ("true", 3650),
        ("0", 3650),
        ("-1", 3650),
        ('"long"', 3650),
        ("1" + "0" * 400, 3650),
    ],
)
def test_a_longer_retention_is_kept_and_a_shorter_one_is_not(
    tmp_path: Path, own: str, kept: int
) -> None:
    """E07."""
    (tmp_path / "settings.json").write_text(f'{{"cleanupPeriodDays": {own}}}')

    write_cli_settings(tmp_path, 3650)

    assert settings(tmp_path) == {**OURS, "cleanupPeriodDays": kept}


@pytest.mark.parametrize("content", ["", "{", "[]", "[" * 100_000, "\xff\xfe"])
def test_a_damaged_file_is_kept_beside_and_told_of(
    tmp_path: Path, content: str
) -> None:
    """E06."""
    path = tmp_path / "settings.json"
    path.write_bytes(content.encode("latin-1"))

    [warning] = write_cli_settings(tmp_path, 3650)

    kept = tmp_path / "settings.json.kept-1"
    assert str(path) in warning and str(kept) in warning
    assert kept.read_bytes() == content.encode("latin-1")
    assert settings(tmp_path) == OURS


def test_each_damaged_file_is_kept(tmp_path: Path) -> None:
    """E06."""
    for content in ("one", "two"):
        (tmp_path / "settings.json").write_text(content)
        write_cli_settings(tmp_path, 3650)

    assert (tmp_path / "settings.json.kept-1").read_text() == "one"
    assert (tmp_path / "settings.json.kept-2").read_text() == "two"


@pytest.mark.parametrize("kind", ["link", "fifo", "directory", "huge"])
def test_what_is_no_plain_file_is_never_read(tmp_path: Path, kind: str) -> None:
    """E06: a link is not followed, a FIFO not waited for, a huge file not loaded."""
    path, target = tmp_path / "settings.json", tmp_path / "target"
    target.write_text('{"secret": 1}')
    if kind == "link":
        path.symlink_to(target)
    elif kind == "fifo":
        os.mkfifo(path)
    elif kind == "directory":
        path.mkdir()
    else:
        with path.open("wb") as file:
            file.truncate(10**10)

    [warning] = write_cli_settings(tmp_path, 3650)

    assert "settings.json.kept-1" in warning
    assert settings(tmp_path) == OURS
    assert target.read_text() == '{"secret": 1}'


def test_a_good_state_file_is_left(tmp_path: Path) -> None:
    """E05."""
    (tmp_path / ".claude.json").write_text('{"a": 1}')

    assert settle_state_file(tmp_path) == []

    assert (tmp_path / ".claude.json").read_text() == '{"a": 1}'


def test_no_state_file_is_nothing_to_settle(tmp_path: Path) -> None:
    """E05."""
    assert settle_state_file(tmp_path) == []

    assert os.listdir(tmp_path) == []


def test_a_damaged_state_file_gives_way_to_the_newest_good_backup(
    tmp_path: Path,
) -> None:
    """E05."""
    backups = tmp_path / "backups"
    backups.mkdir()
    (tmp_path / ".claude.json").write_text('{"torn')
    (backups / ".claude.json.backup.1000").write_text('{"n": 1}')
    (backups / ".claude.json.backup.9000").write_text('{"n": 9}')
    (backups / ".claude.json.backup.10000").write_text("{torn too")
    (backups / ".claude.json.backup.x").write_text('{"n": 0}')

    warnings = settle_state_file(tmp_path)

    assert json.loads((tmp_path / ".claude.json").read_text()) == {"n": 9}
    assert (tmp_path / ".claude.json.kept-1").read_text() == '{"torn'
    assert "backup.9000" in warnings[1]


def test_a_damaged_state_file_without_a_backup_is_kept_beside(tmp_path: Path) -> None:
    """E05: with none, the CLI begins anew; with a damaged one, it does not start."""
    (tmp_path / ".claude.json").write_text("")

    [warning] = settle_state_file(tmp_path)

    assert ".claude.json.kept-1" in warning
    assert not (tmp_path / ".claude.json").exists()


def test_settings_too_deep_to_be_written_are_kept_beside(tmp_path: Path) -> None:
    """E06: some interpreters read deeper than they write; the boot goes on."""
    deep = '{"a":' * 2000 + "1" + "}" * 2000
    (tmp_path / "settings.json").write_text(deep)

    (warning,) = write_cli_settings(tmp_path, 3650)

    assert "settings.json.kept-1" in warning and settings(tmp_path) == OURS
    assert (tmp_path / "settings.json.kept-1").read_text() == deep
