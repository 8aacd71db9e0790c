# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""The CLI's arguments and environment: built from fixed names, nothing inherited."""

from __future__ import annotations

import json
import uuid
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from agentd.agent.command import PLACEHOLDER_KEY, arguments, environment, find_cli
from agentd.agent.settings import AgentSettings
from agentd.agent.start import StartRefused, parse_start
from agentd.spawner.protocol import CliStart

SESSION = str(uuid.UUID(int=7))
START = CliStart(session_id=SESSION, resume=False)
SETTINGS = AgentSettings(
    component="agent",
    deployment="demo",
    agent="main",
    environment={"SKILL_DATA_DIR": "/elsewhere", "EXTRA": "1"},
)


def test_a_new_session_gets_its_id_bound_to_the_flag() -> None:
    result = arguments("/cli", START, 3650)

    assert result[0] == "/cli"
    assert f"--session-id={SESSION}" in result
    assert not any(word.startswith("--resume") for word in result)
    assert '--settings={"cleanupPeriodDays": 3650}' in result


def test_a_resumed_session_is_resumed_by_id() -> None:
    result = arguments("/cli", replace(START, resume=True), 3650)

    assert f"--resume={SESSION}" in result
    assert not any(word.startswith("--session-id") for word in result)


def test_every_wish_becomes_one_argument_of_its_own() -> None:
    start = replace(
        START,
        model="claude-x",
        fallback_model="claude-y",
        thinking_tokens=2048,
        permission_mode="plan",
        system_prompt="--dangerous\nline",
    )

    result = arguments("/cli", start, 30)

    assert "--model=claude-x" in result
    assert "--fallback-model=claude-y" in result
    assert "--max-thinking-tokens=2048" in result
    assert "--permission-mode=plan" in result
    assert "--system-prompt=--dangerous\nline" in result


def test_the_persona_of_the_organisation_is_added_unless_the_prompt_is_replaced() -> (
    None
):
    added = arguments("/cli", START, 30, "Be kind.")
    replaced = arguments("/cli", replace(START, system_prompt="Own."), 30, "Be kind.")

    assert "--append-system-prompt=Be kind." in added
    assert not any("Be kind." in word for word in replaced)


def test_servers_of_a_request_and_the_own_tools_are_one_configuration() -> None:
    start = replace(START, mcp_servers={"files": {"command": "/bin/files"}}, tools=True)

    [word] = [w for w in arguments("/cli", start, 30) if w.startswith("--mcp-config")]

    assert json.loads(word.partition("=")[2]) == {
        "mcpServers": {
            "files": {"command": "/bin/files"},
            "agentkeep": {"type": "sdk", "name": "agentkeep"},
        }
    }


def test_without_servers_and_tools_there_is_no_such_configuration() -> None:
    assert not any("mcp" in word for word in arguments("/cli", START, 30))


def test_a_session_is_resumed_at_a_message_only_when_it_is_resumed() -> None:
    """G17."""
    start = replace(START, resume_at=str(uuid.UUID(int=9)))

    resumed = arguments("/cli", replace(start, resume=True), 30)
    fresh = arguments("/cli", start, 30)

    assert f"--resume-session-at={uuid.UUID(int=9)}" in resumed
    assert not any("resume" in word for word in fresh)


def test_the_own_sign_in_of_the_cli_gets_no_key_that_would_win_over_it() -> None:
    settings = replace(SETTINGS, sign_in="direct", credentials_directory="/creds")

    result = environment(settings)

    assert "ANTHROPIC_API_KEY" not in result
    assert result["CLAUDE_SECURESTORAGE_CONFIG_DIR"] == "/creds"
    assert "CLAUDE_SECURESTORAGE_CONFIG_DIR" not in environment(SETTINGS)


def test_the_home_directory_is_its_own_setting() -> None:
    """E05: what the CLI keeps is in the configuration directory all the same."""
    result = environment(replace(SETTINGS, home_directory="/home/agent"))

    assert result["HOME"] == "/home/agent"
    assert result["CLAUDE_CONFIG_DIR"] == "/data/memory/.claude"


def test_no_thinking_is_asked_for_by_zero_tokens() -> None:
    result = arguments("/cli", replace(START, thinking_tokens=0), 30)

    assert "--thinking=disabled" in result


def test_nothing_is_inherited_by_the_cli(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-secret")
    monkeypatch.setenv("ANTHROPIC_AUTH_TOKEN", "secret")
    monkeypatch.setenv("LD_PRELOAD", "/evil.so")
    monkeypatch.setenv("PATH", "/evil")

    result = environment(SETTINGS)

    assert result["ANTHROPIC_API_KEY"] == PLACEHOLDER_KEY
    assert result["ANTHROPIC_BASE_URL"] == "http://127.0.0.1:8081"
    assert result["CLAUDE_CONFIG_DIR"] == "/data/memory/.claude"
    assert result["EXTRA"] == "1"
    assert result["SKILL_DATA_DIR"] == "/elsewhere"
    assert "secret" not in json.dumps(result)
    assert "evil" not in json.dumps(result)
    assert "LD_PRELOAD" not in result


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("session_id", "../../etc/passwd"),
        ("session_id", "--help"),
        ("session_id", SESSION + "\n"),
        ("session_id", 7),
        ("session_id", None),
        ("resume", "yes"),
        ("resume", 1),
        ("model", "--dangerously-skip-permissions"),
        ("model", "a b"),
        ("model", "x" * 200),
        ("fallback_model", ""),
        ("permission_mode", "anything"),
        ("permission_mode", ["plan"]),
        ("thinking_tokens", -1),
        ("thinking_tokens", True),
        ("thinking_tokens", 10**9),
        ("system_prompt", "a\0b"),
        ("system_prompt", "x" * 70_000),
        ("system_prompt", 3),
        ("tools", 1),
        ("resume_at", "last"),
        ("mcp_servers", []),
        ("mcp_servers", "files"),
    ],
)
def test_a_wish_that_is_not_acceptable_is_refused_by_name(
    name: str, value: object
) -> None:
    wish = {**asdict(START), name: value}

    with pytest.raises(StartRefused, match=name):
        parse_start(wish)


@pytest.mark.parametrize(
    ("servers", "reason"),
    [
        ({"--x": {"command": "/bin/x"}}, "no name"),
        ({"a" * 65: {"command": "/bin/x"}}, "no name"),
        ({"agentkeep": {"command": "/bin/x"}}, "own server"),
        ({"a": None}, "not an object"),
        ({"a": {"type": "sdk", "name": "a"}}, "type"),
        ({"a": {"type": ["http"]}}, "type"),
        ({"a": {}}, "command"),
        ({"a": {"command": "/bin/x", "cwd": "/"}}, "unknown key"),
        ({"a": {"command": "/bin/x", "args": "-l"}}, "args"),
        ({"a": {"command": "/bin/x", "args": ["a\0b"]}}, "args"),
        ({"a": {"command": "/bin/x", "env": {"A=B": "c"}}}, "env"),
        ({"a": {"command": "/bin/x", "env": {"A": 1}}}, "env"),
        ({"a": {"command": "/bin/x", "env": {"AGENTD_STREAM": "x"}}}, "env"),
        ({"a": {"type": "http", "url": "file:///etc/passwd"}}, "url"),
        (
            {"a": {"type": "http", "url": "http://x", "headers": {"A": "b\r\nC"}}},
            "line",
        ),
        ({f"a{n}": {"command": "/bin/x"} for n in range(17)}, "16"),
        ({"a": {"command": "/bin/x", "args": ["y" * 40_000]}}, "larger"),
    ],
)
def test_a_server_that_no_request_may_have_is_refused_with_a_reason(
    servers: object, reason: str
) -> None:
    with pytest.raises(StartRefused, match=reason):
        parse_start({**asdict(START), "mcp_servers": servers})


@pytest.mark.parametrize("wish", [None, [], "x", {}, {**asdict(START), "env": {}}])
def test_a_wish_of_another_form_is_refused(wish: object) -> None:
    with pytest.raises(StartRefused):
        parse_start(wish)


def test_a_good_wish_is_taken_as_it_is() -> None:
    assert parse_start(asdict(START)) == START


def test_the_bundled_cli_is_found_without_importing_the_sdk() -> None:
    assert Path(find_cli()).name == "claude"
