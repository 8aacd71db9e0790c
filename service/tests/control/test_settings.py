# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""The settings files of control and gateway."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from pydantic import ValidationError

from agentd.errors import SettingsInvalid
from agentd.settings import (
    is_loopback,
    load_control_settings,
    load_gateway_settings,
    read_secret,
)

CONTROL: dict[str, object] = {
    "component": "control",
    "deployment": "demo",
    "api_token_file": "/etc/agentd/api_token",
    "agents": [{"name": "main"}],
}
GATEWAY: dict[str, object] = {
    "component": "gateway",
    "deployment": "demo",
    "agents": ["main"],
}


def written(directory: Path, values: object) -> Path:
    path = directory / "settings.json"
    path.write_text(json.dumps(values), encoding="utf-8")
    return path


def test_control_needs_only_what_has_no_default(tmp_path: Path) -> None:
    settings = load_control_settings(written(tmp_path, CONTROL))

    assert settings.listen_port == 8080
    assert settings.database_address.where == "/data/database/agentd.db"
    assert settings.agents[0].permission_mode == "bypassPermissions"


def test_gateway_needs_only_what_has_no_default(tmp_path: Path) -> None:
    settings = load_gateway_settings(written(tmp_path, GATEWAY))

    assert settings.upstream == "offline"


def test_settings_cannot_be_changed(tmp_path: Path) -> None:
    settings = load_control_settings(written(tmp_path, CONTROL))

    with pytest.raises(ValidationError):
        settings.listen_port = 1


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"colour": "red"}, "colour"),
        ({"agents": []}, "agents"),
        ({"agents": [{"name": "a"}, {"name": "a"}]}, '"a" is declared twice'),
        ({"agents": [{"name": "../x"}]}, "agents.0.name"),
        ({"agents": [{"name": "a", "permission_mode": "all"}]}, "permission_mode"),
        ({"listen_port": "8080"}, "listen_port"),
        ({"listen_port": 70000}, "listen_port"),
        ({"api_token_file": None}, "Set api_token_file"),
        ({"component": "gateway"}, "component"),
        ({"max_execution_seconds": 0}, "max_execution_seconds"),
        ({"database_url": "sqlite+aiosqlite:///agentd.db"}, "absolute"),
        ({"database_url": "sqlite+aiosqlite:////data/../x.db"}, ".."),
        ({"database_url": "mysql://x"}, "absolute"),
    ],
)
def test_control_settings_that_are_refused_name_the_key(
    tmp_path: Path, change: dict[str, object], told: str
) -> None:
    """O01: a relative database is refused."""
    path = written(tmp_path, {**CONTROL, **change})

    with pytest.raises(SettingsInvalid) as refused:
        load_control_settings(path)

    assert told in str(refused.value)
    assert str(path) in str(refused.value)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"upstream": "ftp://x"}, "upstream"),
        ({"upstream": "https://api.example"}, "Set api_key_file"),
        ({"key": "x"}, "key"),
    ],
)
def test_gateway_settings_that_are_refused_name_the_key(
    tmp_path: Path, change: dict[str, object], told: str
) -> None:
    path = written(tmp_path, {**GATEWAY, **change})

    with pytest.raises(SettingsInvalid, match=told):
        load_gateway_settings(path)


def test_control_without_a_token_may_listen_on_loopback(tmp_path: Path) -> None:
    values = {**CONTROL, "api_token_file": None, "listen_host": "127.0.0.1"}

    settings = load_control_settings(written(tmp_path, values))

    assert settings.api_token_file is None


@pytest.mark.parametrize("content", [None, "", "{", "[]"])
def test_a_file_that_holds_no_settings_is_refused(
    tmp_path: Path, content: str | None
) -> None:
    path = tmp_path / "settings.json"
    if content is not None:
        path.write_text(content, encoding="utf-8")

    with pytest.raises(SettingsInvalid, match=str(path)):
        load_control_settings(path)


def test_an_empty_secret_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "token"
    path.write_text("\n", encoding="utf-8")

    with pytest.raises(SettingsInvalid, match="empty"):
        read_secret(str(path), "api_token_file")


def test_a_secret_loses_its_final_newline(tmp_path: Path) -> None:
    path = tmp_path / "token"
    path.write_text("s3cret\n", encoding="utf-8")

    assert read_secret(str(path), "api_token_file") == "s3cret"


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("localhost", True),
        ("0.0.0.0", False),
        ("::", False),
        ("example.org", False),
    ],
)
def test_only_loopback_addresses_are_loopback(host: str, expected: bool) -> None:
    assert is_loopback(host) is expected
