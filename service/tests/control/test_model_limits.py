# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""What a user sees of a budget that is used up: at once, and nothing is lost by it."""

from __future__ import annotations

import asyncio
import signal
from typing import TYPE_CHECKING

import pytest
from models import STATUS_SOCKET, kept

from .service import ControlProcess, until

if TYPE_CHECKING:
    from conftest import RunningStack, Stack

pytestmark = pytest.mark.live


async def restart_gateway(stack: Stack, **settings: object) -> None:
    """Start the gateway anew, with other settings."""
    assert stack.gateway is not None
    stack.gateway.send_signal(signal.SIGTERM)
    await asyncio.to_thread(stack.gateway.wait, 20)
    await asyncio.to_thread(lambda: stack.start_gateway(**settings))


async def test_a_conversation_goes_on_when_its_budget_does(
    running_stack: RunningStack,
) -> None:
    """J14: refused at once with the reason, reported, and resumed as if nothing was."""
    async with running_stack(with_spawner=False) as stack:
        limited = {"main": {"budget_tokens": 1000}}
        await restart_gateway(stack, **kept(stack.directory, rules=limited))
        place = str(stack.directory / STATUS_SOCKET)
        with ControlProcess(
            stack, settings={"gateway_status_socket": place}
        ) as control:
            first = control.say("Remember the word mango. use 1200 input tokens")
            more = {"message": "Hello", "conversation_id": first["conversation_id"]}
            refused = control.client.post("/chat", json=more).json()
            await until(lambda: "over_budget" in control.client.get("/agents").text)
            health = control.client.get("/health")
            await restart_gateway(stack, **kept(stack.directory))
            after = control.say(
                "Which words did I ask you to remember?",
                conversation_id=first["conversation_id"],
            )

    assert refused["status"] == "error"
    assert "has used up its budget" in str(refused)
    assert refused["duration_ms"] < 20_000
    assert health.status_code == 200
    assert "mango" in after["result"]
    assert after["session_id"] == first["session_id"]
