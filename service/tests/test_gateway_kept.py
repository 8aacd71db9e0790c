# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""What agents used stays known: over kills, restarts, and files that fail."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
from models import budget, client, control, gateway, kept, said, usage_of

from agentd.gateway.account import Account
from agentd.gateway.status import Usage
from agentd.gateway_settings import AgentRules

WAIT_SECONDS = 10


async def test_usage_survives_a_kill_and_the_budget_with_it(short_path: Path) -> None:
    """A gateway that is killed has forgotten nothing that is a second old."""
    rules = kept(short_path, **budget(budget_tokens=1000))
    session = "0b7c8f7e-3d5a-4c0e-9a39-5d8f0f6a1c11"
    async with gateway(short_path, "offline", **rules) as stack:
        async with client(stack) as main:
            await main.post(
                "/v1/messages",
                json=said("use 990 input tokens, use 20 output tokens"),
                headers={"x-claude-code-session-id": session},
            )
        before = await usage_of(stack)
        await asyncio.sleep(1)
        assert stack.gateway is not None
        os.kill(stack.gateway.pid, signal.SIGKILL)
        stack.gateway.wait()
        await asyncio.to_thread(lambda: stack.start_gateway(**rules))
        after = await usage_of(stack)
        async with control(stack) as asking, client(stack) as main:
            sessions = (await asking.get("/sessions?agent=main")).json()["sessions"]
            refused = await main.post("/v1/messages", json=said("Hi"))

    assert after["usage"] == before["usage"]
    assert after["state"] == "over_budget"
    assert refused.status_code == 402
    assert [one["session_id"] for one in sessions] == [session]
    assert sessions[0]["usage"]["tokens"] == 1010


async def test_a_clean_stop_writes_the_last_request(short_path: Path) -> None:
    rules = kept(short_path)
    async with gateway(short_path, "offline", **rules) as stack:
        async with client(stack) as main:
            await main.post("/v1/messages", json=said("use 7 input tokens"))
        assert stack.gateway is not None
        os.kill(stack.gateway.pid, signal.SIGTERM)
        assert await asyncio.to_thread(stack.gateway.wait, 10) == 0
        await asyncio.to_thread(lambda: stack.start_gateway(**rules))
        usage = (await usage_of(stack))["usage"]

    assert (usage["requests"], usage["input_tokens"]) == (1, 7)


async def test_a_damaged_file_is_set_aside_and_reported(short_path: Path) -> None:
    rules = kept(short_path)
    damaged = short_path / "usage/usage.db"
    damaged.write_bytes(b"no database" * 100)
    async with (
        gateway(short_path, "offline", **rules) as stack,
        control(stack) as asking,
    ):
        status = (await asking.get("/status")).json()

    (aside,) = (short_path / "usage").glob("usage.db.damaged-*")
    assert aside.read_bytes() == b"no database" * 100
    assert status["status"] == "degraded"
    assert str(aside) in status["faults"][0]


def test_a_directory_that_cannot_be_written_is_told_at_the_start(
    short_path: Path,
) -> None:
    (short_path / "usage").write_text("no directory")
    settings = {
        "component": "gateway",
        "deployment": "test",
        "agents": ["main"],
        "sockets_directory": str(short_path),
        "usage_directory": str(short_path / "usage"),
    }
    (short_path / "settings.json").write_text(json.dumps(settings))

    finished = subprocess.run(
        [sys.executable, "-m", "agentd", "gateway"],
        env={**os.environ, "AGENTD_SETTINGS": str(short_path / "settings.json")},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert finished.returncode == 1
    assert f'Cannot keep the usage of agents in "{short_path}/usage' in finished.stderr
    assert "usage_directory" in finished.stderr
    assert "Traceback" not in finished.stderr


def test_session_ids_are_bounded_whatever_an_agent_invents() -> None:
    account = Account("main", AgentRules(), {}, lambda: 1.0)

    for number in range(5000):
        account.record(Usage(input_tokens=1), f"session-{number}")

    assert len(account.sessions()) == 500
    assert account.sessions()[0].session_id == "session-4999"
    assert len(account.unwritten.sessions) == 500
    assert account.total.input_tokens == 5000


async def test_a_gateway_that_cannot_write_counts_on_and_says_so(
    short_path: Path,
) -> None:
    rules = kept(short_path)
    async with (
        gateway(short_path, "offline", **rules) as stack,
        client(stack) as main,
        control(stack) as asking,
    ):
        holder = await asyncio.to_thread(_lock, short_path / "usage/usage.db")
        try:
            await main.post("/v1/messages", json=said("use 5 input tokens"))
            status = await _until_faulty(asking)
        finally:
            holder.close()
        async with asyncio.timeout(WAIT_SECONDS):
            while (await asking.get("/status")).json()["faults"]:
                await asyncio.sleep(0.05)

    assert "Cannot write the usage" in status["faults"][0]
    assert status["agents"]["main"]["usage"]["input_tokens"] == 5


def _lock(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    connection.execute("BEGIN IMMEDIATE")
    return connection


async def _until_faulty(asking: httpx.AsyncClient) -> dict[str, Any]:
    async with asyncio.timeout(WAIT_SECONDS + 5):
        while True:
            status = dict((await asking.get("/status")).json())
            if status["faults"]:
                return status
            await asyncio.sleep(0.05)
