# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""The command line: what it refuses, how it stops, and the health check."""

from __future__ import annotations

import asyncio
import json
import socket
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from agentd.__main__ import main
from agentd.health import local_address

from .service import ControlProcess, until

if TYPE_CHECKING:
    from conftest import RunningStack


def settings(directory: Path, **changes: object) -> str:
    (directory / "sockets" / "main").mkdir(parents=True, exist_ok=True)
    values = {
        "component": "control",
        "deployment": "test",
        "listen_host": "127.0.0.1",
        "listen_port": 0,
        "database_url": f"sqlite+aiosqlite:///{directory}/agentd.db",
        "sockets_directory": str(directory / "sockets"),
        "agents": [{"name": "main"}],
        **changes,
    }
    path = directory / "settings.json"
    path.write_text(json.dumps(values), encoding="utf-8")
    return str(path)


def agentd(command: str, path: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "agentd", command],
        env={"AGENTD_SETTINGS": path},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


@pytest.mark.parametrize("arguments", [[], ["sing"], ["serve", "now"]])
def test_an_unknown_command_is_refused_with_the_usage(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments, "/nowhere") == 2
    assert "usage" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["serve", "gateway", "agent", "health"])
def test_settings_that_are_not_there_end_each_command_with_a_sentence(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([command], "/nowhere/settings.json") == 1
    assert "/nowhere/settings.json" in capsys.readouterr().err


def test_a_port_in_use_is_told_and_named(short_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = agentd("serve", settings(short_path, listen_port=port))

    assert done.returncode == 1
    assert f"port {port}" in done.stderr
    assert "listen_port" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_token_file_that_is_not_there_is_told(short_path: Path) -> None:
    done = agentd("serve", settings(short_path, api_token_file="/nowhere/token"))

    assert done.returncode == 1
    assert "api_token_file" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_database_that_cannot_be_opened_ends_control(short_path: Path) -> None:
    (short_path / "agentd.db").mkdir()

    done = agentd("serve", settings(short_path))

    assert done.returncode != 0
    assert "control_cannot_start" in done.stderr


def test_the_agent_side_and_the_health_check_import_nothing_installed() -> None:
    code = (
        "import sys, agentd.__main__, agentd.health, agentd.agent.run;"
        "print([n for n in ('pydantic', 'fastapi', 'sqlalchemy', 'structlog',"
        " 'claude_agent_sdk', 'httpx') if n in sys.modules])"
    )

    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )

    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("0.0.0.0", "127.0.0.1"),
        ("", "127.0.0.1"),
        ("::", "::1"),
        ("127.0.0.1", "127.0.0.1"),
        ("192.0.2.1", "192.0.2.1"),
    ],
)
def test_the_health_check_asks_where_control_listens(host: str, expected: str) -> None:
    assert local_address(host) == expected


@pytest.mark.live
async def test_every_component_answers_its_health_check(
    running_stack: RunningStack,
) -> None:
    async with running_stack(with_spawner=False) as stack:
        names = ("control", "gateway", "main")
        with ControlProcess(stack) as control:
            paths = [str(stack.directory / f"{name}.json") for name in names]
            well = [agentd("health", path).returncode for path in paths]
            control.stop()
        await asyncio.to_thread(stack.stop)
        ended = [agentd("health", path).returncode for path in paths]

    assert well == [0, 0, 0]
    assert ended == [1, 1, 1]


@pytest.mark.live
async def test_a_turn_that_outlasts_the_stop_is_handed_over_and_told(
    running_stack: RunningStack,
) -> None:
    """E14: within the grace time; a turn that never ends is an error afterwards."""
    async with running_stack(with_spawner=False) as stack:
        with ControlProcess(stack, settings={"drain_seconds": 1}) as control:
            first = control.say("hello")
            named = {"conversation_id": first["conversation_id"]}
            turn = asyncio.create_task(asyncio.to_thread(control.post, "hang", **named))
            path = f"/chat/{first['conversation_id']}"
            await until(lambda: control.client.get(path).json()["status"] == "running")
            status, _unused = await asyncio.to_thread(control.stop)
            answer = await turn
            control.start()
            await until(lambda: control.client.get(path).json()["status"] == "idle")
            messages = control.client.get(f"{path}/messages").json()["messages"]

    assert status == 0
    assert answer.status_code == 503
    assert first["conversation_id"] in answer.json()["error"]
    assert [message["role"] for message in messages] == ["user", "assistant"] * 2
    assert messages[-1]["status"] == "error"
