# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""The API of a real control process: told to stop, its log, skills, and the model."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from .service import ControlProcess, until

if TYPE_CHECKING:
    from conftest import RunningStack

pytestmark = pytest.mark.live


def lines(control: ControlProcess, event: str) -> list[dict[str, Any]]:
    """Return what control logged of one event."""
    found = [json.loads(line) for line in control.log().splitlines()]
    return [one for one in found if one["event"] == event]


async def test_a_stop_by_the_api_lets_the_turn_end_and_exits_with_0(
    running_stack: RunningStack,
) -> None:
    """J12."""
    async with running_stack(with_spawner=False) as stack:
        with ControlProcess(stack) as control:
            process = control.process
            assert process is not None
            async with asyncio.TaskGroup() as tasks:
                turn = tasks.create_task(
                    asyncio.to_thread(control.say, "Count slowly to 20.")
                )
                await until(lambda: runs(control))
                asked = {"reason": "end-of-session"}
                first = await asyncio.to_thread(
                    control.client.post, "/control/stop", json=asked
                )
                second = await asyncio.to_thread(control.client.post, "/control/stop")
            status = await asyncio.to_thread(process.wait, 30)
            stopped = lines(control, "stop_asked_for")

    assert first.json()["status"] == "stopping"
    assert first.json()["reason"] == "end-of-session"
    assert second.status_code == 200
    assert turn.result()["status"] == "success"
    assert status == 0
    assert [one["reason"] for one in stopped] == ["end-of-session", "api-stop"]


async def test_every_line_about_a_request_has_its_id(
    running_stack: RunningStack,
) -> None:
    async with running_stack(with_spawner=False) as stack:
        with ControlProcess(stack) as control:
            named = {"X-Request-ID": "from-the-caller-1"}
            control.client.post("/chat", json={"message": "hello"}, headers=named)
            control.client.get("/chat/none")
            await until(lambda: len(asked(control)) == 2)
            logged = [json.loads(line) for line in control.log().splitlines()]

    of_requests = [one for one in logged if "request_id" in one]
    assert {"turn_ended", "request_done"} <= {one["event"] for one in of_requests}
    said = [one for one in of_requests if one["request_id"] == "from-the-caller-1"]
    assert {one["event"] for one in said} >= {"turn_ended", "request_done"}
    assert all(one["component"] == "control" for one in logged)
    assert asked(control) == [("/chat", 200), ("/chat/none", 404)]


def asked(control: ControlProcess) -> list[tuple[str, int]]:
    """Return the requests that control logged, and how it answered them."""
    done = lines(control, "request_done")
    return [(one["path"], one["status"]) for one in done if one["path"] != "/health"]


def runs(control: ControlProcess) -> bool:
    """Return whether a conversation is in a turn."""
    found = control.client.get("/chat").json()["conversations"]
    return any(one["status"] == "running" for one in found)


async def test_a_skill_that_the_cli_cannot_read_is_named_as_missing(
    running_stack: RunningStack,
) -> None:
    """F15: a reload without a restart; what the CLI leaves out without a word."""
    async with running_stack(with_spawner=False) as stack:
        with ControlProcess(stack) as control:
            before = control.say("hello")
            write_skill(stack.memory() / "skills" / "letters", "Writes letters.")
            broken = stack.memory() / "skills" / "broken"
            broken.mkdir(parents=True)
            (broken / "SKILL.md").write_text("nothing that a CLI could read")
            reloaded = control.client.post("/admin/reload-skills").json()
            after = control.say("hello", conversation_id=before["conversation_id"])
            told = control.client.get("/admin/skills").json()["skills"]
            figures = control.client.get("/metrics").text
            logged = lines(control, "skills_missing")

    assert reloaded["status"] == "reloaded"
    assert set(reloaded["skills"]["user"]) == {"broken", "letters"}
    assert after["session_id"] == before["session_id"]
    assert told["missing"] == ["broken"]
    assert 'agentd_skills_missing{agent="main"} 1.0' in figures
    assert [one["names"] for one in logged][-1] == ["broken"]


def write_skill(place: Path, description: str) -> None:
    """Write a skill that the CLI can read."""
    place.mkdir(parents=True)
    head = f"---\nname: {place.name}\ndescription: {description}\n---\n"
    (place / "SKILL.md").write_text(f"{head}Do it.\n")


async def test_the_gateway_tells_control_how_the_model_is_and_what_was_used(
    running_stack: RunningStack,
) -> None:
    async with running_stack(with_spawner=False) as stack:
        assert stack.gateway is not None
        stack.gateway.terminate()
        stack.gateway.wait(20)
        status = stack.directory / "status.sock"
        rules = {"main": {"budget_tokens": 1, "budget_period": "total"}}
        (stack.directory / "usage").mkdir()
        usage = str(stack.directory / "usage")
        stack.start_gateway(
            status_socket=str(status), usage_directory=usage, rules=rules
        )
        settings = {"gateway_status_socket": str(status)}
        with ControlProcess(stack, settings=settings) as control:
            control.say("hello")
            await until(lambda: model(control)["state"] == "over_budget", seconds=20)
            health = control.client.get("/health")
            figures = control.client.get("/metrics").text
            used = model(control)["usage"]

    assert used["tokens"] > 1
    assert health.status_code == 200
    assert health.json()["status"] == "degraded"
    assert health.json()["problems"] == ['Agent "main" and the model: over_budget.']
    assert "agentd_gateway_up 1.0" in figures
    assert 'agentd_model_state{agent="main",state="over_budget"} 1.0' in figures
    assert 'agentd_model_budget_tokens_left{agent="main"} 0.0' in figures
    assert 'agentd_model_tokens_total{agent="main",kind="input"}' in figures


def model(control: ControlProcess) -> dict[str, Any]:
    """Return how the agent stands with the model."""
    found: dict[str, Any] = control.client.get("/agents").json()[0]["model"]
    return found
