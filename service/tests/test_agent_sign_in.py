# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""The CLI's own sign-in: put where the CLI reads it, and moved there once."""

from __future__ import annotations

import json
import os
import stat
import time
from pathlib import Path

import pytest
from boots import settings_in

from agentd.agent.credential_calls import credential_calls
from agentd.agent.credentials import (
    drop_credentials,
    move_old_sign_in,
    put_credentials,
)
from agentd.agent.settings import AgentSettings
from agentd.credentials.kept import keep
from agentd.errors import CredentialsRefused
from agentd.spawner.dial import CallFailed

TOKEN = "sk-ant-oat01-of-main"
PLAIN = {"accessToken": TOKEN, "expiresAt": (time.time() + 7200) * 1000}
WRAPPED = {"claudeAiOauth": PLAIN, "mcpOAuth": {"a": {"token": "x"}}}


@pytest.fixture
def settings(tmp_path: Path) -> AgentSettings:
    """Return the settings of an agent whose CLI is signed in itself."""
    (tmp_path / "credentials").mkdir()
    (tmp_path / "memory/.claude").mkdir(parents=True)
    return settings_in(tmp_path, sign_in="direct")


def kept(settings: AgentSettings) -> dict[str, object]:
    """Return what the CLI would read."""
    path = Path(settings.credentials_directory) / ".credentials.json"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    return dict(json.loads(path.read_text()))


@pytest.mark.parametrize("value", [PLAIN, {"claudeAiOauth": PLAIN}, WRAPPED])
def test_a_sign_in_is_put_in_the_form_that_the_cli_reads(
    settings: AgentSettings, value: object
) -> None:
    """P09: plain or wrapped; only the sign-in itself is taken."""
    put_credentials(settings, value)

    assert kept(settings) == {"claudeAiOauth": PLAIN}


def test_what_else_the_cli_keeps_in_its_file_stays(settings: AgentSettings) -> None:
    place = Path(settings.credentials_directory)
    keep(place, ".credentials.json", json.dumps(WRAPPED).encode())

    put_credentials(settings, {"oauth_token": "sk-ant-oat01-next"})

    found = kept(settings)
    assert found["mcpOAuth"] == WRAPPED["mcpOAuth"]
    assert found["claudeAiOauth"] == {
        "accessToken": "sk-ant-oat01-next",
        "refreshToken": None,
        "expiresAt": None,
        "scopes": ["user:inference"],
        "subscriptionType": None,
    }


@pytest.mark.parametrize("there", ["torn", "link", "deep", "list"])
def test_what_the_agent_made_of_the_file_keeps_nobody_from_signing_in(
    settings: AgentSettings, tmp_path: Path, there: str
) -> None:
    path = Path(settings.credentials_directory) / ".credentials.json"
    if there == "link":
        path.symlink_to(tmp_path / "elsewhere")
        (tmp_path / "elsewhere").write_text("untouched")
    else:
        path.write_text({"torn": "{", "deep": "[" * 50_000, "list": "[]"}[there])

    put_credentials(settings, PLAIN)

    assert kept(settings) == {"claudeAiOauth": PLAIN}
    if there == "link":
        assert (tmp_path / "elsewhere").read_text() == "untouched"


def test_the_gateways_agents_are_never_signed_in(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)

    for deed in (
        lambda: put_credentials(settings, PLAIN),
        lambda: drop_credentials(settings),
    ):
        with pytest.raises(CredentialsRefused, match="sign_in of the agent to direct"):
            deed()
    assert not (tmp_path / "credentials").exists()


async def test_the_calls_tell_how_the_sign_in_stands(settings: AgentSettings) -> None:
    """P11: a CLI that is not there is another matter than a sign-in."""
    calls = credential_calls(settings, "/bin/true")

    told = [
        await calls["credentials_status"]({}),
        await calls["put_credentials"]({"credentials": PLAIN}),
        await calls["drop_credentials"]({}),
        await credential_calls(settings, "/nowhere")["credentials_status"]({}),
    ]

    states = [one["status"] for one in told]
    assert states == ["missing", "valid", "missing", "cli_unavailable"]


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ({"api_key": "sk-ant-api03-x"}, "by a token only"),
        ({**PLAIN, "expiresAt": 1000}, "it expired"),
        (None, "no JSON object"),
        ([[[["x"]]]], "no JSON object"),
    ],
)
async def test_the_side_checks_again_what_control_sends(
    settings: AgentSettings, value: object, why: str
) -> None:
    put = credential_calls(settings, "/bin/true")["put_credentials"]

    with pytest.raises(CallFailed, match=why):
        await put({"credentials": value})

    assert os.listdir(settings.credentials_directory) == []


async def test_a_directory_that_is_not_mounted_is_said_and_never_made(
    settings: AgentSettings,
) -> None:
    place = Path(settings.credentials_directory)
    place.rmdir()

    with pytest.raises(CallFailed, match="deployment_include_optional"):
        await credential_calls(settings, "/bin/true")["put_credentials"](
            {"credentials": PLAIN}
        )

    assert not place.exists()


@pytest.mark.parametrize(
    "old", ["credentials/claude.json", "memory/.claude/.credentials.json"]
)
@pytest.mark.parametrize("content", [PLAIN, WRAPPED, {**PLAIN, "expiresAt": 1000}])
def test_an_old_token_file_is_moved_once(
    settings: AgentSettings, tmp_path: Path, old: str, content: dict[str, object]
) -> None:
    """P12: what it held is used, the old file is left, a second run does nothing."""
    path = tmp_path / old
    path.write_text(json.dumps(content))

    (said,) = move_old_sign_in(settings)
    left = {one: one.read_text() for one in tmp_path.rglob("*") if one.is_file()}
    again = move_old_sign_in(settings)

    backup = path.with_name(f"{path.name}.migrated.bak")
    assert kept(settings) == (
        content if content is WRAPPED else {"claudeAiOauth": content}
    )
    assert json.loads(backup.read_text()) == content
    assert stat.S_IMODE(backup.stat().st_mode) == 0o600
    assert not path.exists()
    assert str(backup) in said
    assert TOKEN not in said
    assert again == []
    assert left == {one: one.read_text() for one in left}


def test_a_move_that_a_kill_broke_off_is_finished(
    settings: AgentSettings, tmp_path: Path
) -> None:
    """P12: between the write and the rename."""
    old = tmp_path / "credentials/claude.json"
    old.write_text(json.dumps(PLAIN))
    put_credentials(settings, PLAIN)
    (old.parent / "..credentials.json.0123456789abcdef").write_text("half")

    move_old_sign_in(settings)

    assert sorted(os.listdir(old.parent)) == [
        ".credentials.json",
        "claude.json.migrated.bak",
    ]


@pytest.mark.parametrize(
    ("content", "why"),
    [('{"a": ', "no JSON"), ('{"api_key": "sk-ant-api03-x"}', "by a token only")],
)
def test_an_old_file_that_cannot_be_used_stays_and_is_said(
    settings: AgentSettings, tmp_path: Path, content: str, why: str
) -> None:
    old = tmp_path / "credentials/claude.json"
    old.write_text(content)

    (said,) = move_old_sign_in(settings)

    assert why in said
    assert old.read_text() == content
    assert os.listdir(old.parent) == [old.name]


def test_an_older_sign_in_never_takes_the_place_of_the_one_in_use(
    settings: AgentSettings, tmp_path: Path
) -> None:
    old = tmp_path / "memory/.claude/.credentials.json"
    old.write_text(json.dumps({**PLAIN, "accessToken": "sk-ant-oat01-older"}))
    put_credentials(settings, PLAIN)

    (said,) = move_old_sign_in(settings)

    assert "is not used" in said
    assert old.exists()
    assert kept(settings) == {"claudeAiOauth": PLAIN}
