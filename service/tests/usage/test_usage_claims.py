# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""What an agent's side says of its state, whatever it says."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from control.fakes import FakeSpawner
from control.running_app import Parts, control

from agentd.samples.reading import MOST, MOST_SECONDS, read_usage

HUGE = 10**400


@pytest.mark.parametrize(
    ("said", "known"),
    [
        (HUGE, MOST_SECONDS),
        (-HUGE, 0.0),
        (float("inf"), MOST_SECONDS),
        (1.5, 1.5),
        (True, 0.0),
        ("9", 0.0),
    ],
)
def test_seconds_are_bounded_whatever_is_said(said: object, known: float) -> None:
    assert read_usage({"seconds": said}, 1.0).seconds == known


class Boaster(FakeSpawner):
    """Agents that say numbers that no float can be."""

    async def call(
        self,
        agent: str,
        name: str,
        parameters: Mapping[str, object],
        *,
        timeout_seconds: float,
    ) -> dict[str, object]:
        areas = {"caches": {"bytes": HUGE, "files": -HUGE}}
        return {"areas": areas, "seconds": HUGE, "whole": True, "problems": []}


async def test_an_agent_that_says_huge_numbers_does_not_end_the_watch(
    tmp_path: Path,
) -> None:
    """I18: what is watched in control's own group of tasks may not raise."""
    usage = {"sample_minutes": 0, "limit_bytes": 1000}
    async with control(
        tmp_path, Parts(spawner=Boaster(), settings={"usage": usage})
    ) as running:
        await running.service.usage.sample()
        answer = await running.client.get("/usage")
        refused = await running.client.post("/chat", json={"message": "hello"})

    assert answer.status_code == 200
    assert answer.json()["agents"][0]["bytes"] == MOST
    assert refused.status_code == 507
