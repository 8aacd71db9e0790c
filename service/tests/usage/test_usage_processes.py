# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Usage asked of a real agent's side by a real control (I17, I18)."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Iterator
from typing import Any

import pytest
from control.service import ControlProcess
from usage_trees import du, grow

LIMIT = 60_000_000
Json = dict[str, Any]


def shown(control: ControlProcess) -> Json:
    """Return what control tells of its one agent."""
    answer = control.client.get("/usage?max_age_seconds=0")
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert body["problems"] == []
    found: Json = body["agents"][0]
    return found


@pytest.fixture
def limited() -> Iterator[Json]:
    """Return the settings of a control that holds its agents to a limit."""
    yield {"usage": {"limit_bytes": LIMIT, "sample_minutes": 0}}


async def test_a_real_agent_is_counted_and_held_to_its_limit(
    running_stack: Any, limited: Json
) -> None:
    """I17, I18: also after control was killed, which knows nothing then."""
    async with running_stack(with_spawner=False) as stack:
        memory = stack.memory()
        with ControlProcess(stack, settings=limited) as control:
            before = shown(control)
            grow(memory / "work", stack.directory / "outside")
            (memory / "work/large").write_bytes(b"x" * 20_000_000)
            after, said = shown(control), du(memory)
            refused = control.client.post("/chat", json={"message": "hello"})
            assert control.process is not None
            os.kill(control.process.pid, signal.SIGKILL)
            control.process.wait()
            control.start()
            again = control.client.post("/chat", json={"message": "hello"})
            shutil.rmtree(memory / "work")
            freed = shown(control)

    assert before["level"] == freed["level"] == "ok"
    assert after["level"] == "exceeded"
    assert (refused.status_code, again.status_code) == (507, 507)
    told = sum(after["areas"][name]["bytes"] for name in ("memory", "transcripts"))
    assert told == pytest.approx(said, rel=0.01)
    assert freed["areas"]["memory"]["bytes"] == before["areas"]["memory"]["bytes"]
