# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""A turn that waited in vain is refused with 503, and its conversation is free."""

from __future__ import annotations

from pathlib import Path

from agentd.errors import EngineBusy

from .fakes import FakeEngine
from .running_app import Parts, control


async def test_a_turn_that_found_no_client_in_time_is_503_with_retry_after(
    tmp_path: Path,
) -> None:
    """G18: the conversation is not busy for ever."""
    engine = FakeEngine(script=[EngineBusy("No client became free within 30 s.")])

    async with control(tmp_path, Parts(engine=engine)) as running:
        refused = await running.say("first")
        (listed,) = (await running.client.get("/chat")).json()["conversations"]
        told = await running.client.get(f"/chat/{listed['id']}/messages")
        again = await running.say("second", conversation_id=listed["id"])

    assert refused.status_code == 503
    assert int(refused.headers["Retry-After"]) > 0
    assert "became free" in refused.json()["error"]
    statuses = [one["status"] for one in told.json()["messages"]]
    assert statuses == ["said", "error"]
    assert (again.status_code, again.json()["result"]) == (200, "echo second")
