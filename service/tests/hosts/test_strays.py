# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""A turn that was stored as begun, and that nobody runs, holds no conversation."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from sqlalchemy import Connection, text

from agentd.conversations import strays

from .two import two_hosts


def as_if_begun(connection: Connection) -> None:
    """What is there when the line goes just at the COMMIT of a beginning."""
    connection.execute(text("UPDATE conversations SET status = 'running', host = 'a'"))


async def test_another_host_goes_on_with_a_conversation_that_nobody_runs(
    tmp_path: Path, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """O12: and the host whose it was says what became of the turn."""
    monkeypatch.setattr(strays, "LOOK_SECONDS", 0.2)
    async with two_hosts(postgres_url, tmp_path) as (a, b):
        named = (await a.say()).json()["conversation_id"]
        await a.turns._parts.database.do(as_if_begun)
        busy = await b.say(conversation_id=named)

        async with asyncio.timeout(10):
            answer = busy
            while answer.status_code == 409:
                await asyncio.sleep(0.1)
                answer = await b.say(conversation_id=named)

        assert busy.status_code == 409
        assert answer.status_code == 200, answer.text


async def test_a_turn_that_runs_is_no_stray(
    tmp_path: Path, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(strays, "LOOK_SECONDS", 0.05)
    async with two_hosts(postgres_url, tmp_path) as (a, _b):
        a.engine.gate = asyncio.Event()
        saying = asyncio.ensure_future(a.say())
        await asyncio.sleep(1)
        a.engine.gate.set()

        answer = await saying

        assert answer.json()["status"] == "success"
