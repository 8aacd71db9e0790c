# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""The agent side's settings: what is refused, and by which words."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from agentd.agent.settings import load_agent_settings
from agentd.errors import SettingsInvalid

GOOD = {"component": "agent", "deployment": "demo", "agent": "main"}


def write(path: Path, value: object) -> Path:
    """Write a value as the settings file."""
    file = path / "settings.json"
    file.write_text(json.dumps(value))
    return file


def test_all_but_three_keys_have_a_default(tmp_path: Path) -> None:
    settings = load_agent_settings(write(tmp_path, GOOD))

    assert settings.agent == "main"
    assert settings.relay_port == 8081
    assert settings.cleanup_period_days == 3650
    assert settings.environment == {}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"surprise": 1}, '"surprise" is unknown'),
        ({"agent": 3}, '"agent" is not of type str'),
        ({"agent": ""}, '"agent" is empty'),
        ({"relay_port": "8081"}, '"relay_port" is not of type int'),
        ({"relay_port": 0}, '"relay_port" is 0'),
        ({"relay_port": True}, '"relay_port" is not of type int'),
        ({"max_processes": 1000}, '"max_processes" is 1000'),
        ({"cleanup_period_days": 0}, '"cleanup_period_days" is 0'),
        ({"working_directory": "memory"}, "not an absolute path"),
        ({"log_level": "loud"}, '"log_level" is "loud"'),
        ({"component": "control"}, 'not "agent"'),
        ({"environment": {"ANTHROPIC_API_KEY": "x"}}, "agentd sets itself"),
        ({"environment": {"A B": "x"}}, "name that is none"),
        ({"environment": {"A": 1}}, "no text"),
    ],
)
def test_a_bad_value_is_refused_by_the_name_of_its_key(
    tmp_path: Path, change: dict[str, object], words: str
) -> None:
    file = write(tmp_path, {**GOOD, **change})

    with pytest.raises(SettingsInvalid, match=words):
        load_agent_settings(file)


def test_a_missing_key_is_named(tmp_path: Path) -> None:
    file = write(tmp_path, {"component": "agent", "agent": "main"})

    with pytest.raises(SettingsInvalid, match='"deployment" is missing'):
        load_agent_settings(file)


@pytest.mark.parametrize("content", ["", "{", "[]", "[" * 10])
def test_a_damaged_file_is_refused_by_its_path(tmp_path: Path, content: str) -> None:
    file = tmp_path / "settings.json"
    file.write_text(content)

    with pytest.raises(SettingsInvalid, match="settings"):
        load_agent_settings(file)


def test_home_and_configuration_follow_the_working_directory(tmp_path: Path) -> None:
    """E08: nothing is left at the place that nobody uses."""
    moved = load_agent_settings(write(tmp_path, {**GOOD, "working_directory": "/m"}))
    apart = load_agent_settings(
        write(tmp_path, {**GOOD, "working_directory": "/m", "home_directory": "/h"})
    )

    assert (moved.home_directory, moved.config_directory) == ("/m", "/m/.claude")
    assert (apart.home_directory, apart.config_directory) == ("/h", "/m/.claude")
