# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""A conversation keeps the definition that it began with, on both databases."""

from __future__ import annotations

from pathlib import Path

import pytest
from control.running_app import Control, control

from agentd.engine.protocol import ClientWish

from .test_registry_api import AGENTS, parts, upload


def wishes(running: Control) -> list[str | None]:
    """Return the definition of each turn that the engine was asked for."""
    asked: list[ClientWish] = running.engine.wishes
    return [wish.definition for wish in asked]


async def test_a_conversation_begins_in_a_definition_and_stays_in_it(
    tmp_path: Path, database_url: str
) -> None:
    """P01: also after a restart of control, and whatever is asked later."""
    # The scripted agents have no transcripts that could be kept.
    used = parts(tmp_path, database_url=database_url, store_sessions=False)
    async with control(tmp_path, used) as running:
        await upload(running.client)
        first = await running.say(definition="reviewer")
        named = {"conversation_id": first.json()["conversation_id"]}
    async with control(tmp_path, used) as running:
        same = await running.say(**named)
        also = await running.say(**named, definition="reviewer")
        other = await running.say(**named, definition="shipped")
        none = await running.say(**named, definition="brain")
        listed = (await running.client.get("/chat")).json()["conversations"]

    answers = [first, same, also, other, none]
    assert [one.status_code for one in answers] == [200, 200, 200, 409, 409]
    assert first.json()["notice"] is None
    assert "it keeps the one that it began with" in other.json()["error"]
    assert [one["definition"] for one in listed] == ["reviewer"]
    assert wishes(running) == ["reviewer"] * 3


async def test_the_agents_own_directory_is_meant_by_none_by_nothing_and_by_brain(
    tmp_path: Path, database_url: str
) -> None:
    """P01."""
    async with control(tmp_path, parts(tmp_path, database_url=database_url)) as running:
        first = await running.say()
        named = {"conversation_id": first.json()["conversation_id"]}
        answers = [await running.say(definition="", **named)]
        answers.append(await running.say(definition="brain"))
        answers.append(await running.say(definition="reviewer", **named))
        odd = await running.say(definition="../etc")

    assert [one.status_code for one in answers] == [200, 200, 409]
    assert odd.status_code == 400
    assert wishes(running) == [None] * 3


async def test_an_unknown_definition_is_said_to_be_so_in_the_answer(
    tmp_path: Path, database_url: str
) -> None:
    """P01: it goes on in the agent's own directory."""
    async with control(tmp_path, parts(tmp_path, database_url=database_url)) as running:
        answer = (await running.say(definition="nobody")).json()

    assert answer["status"] == "success"
    assert 'There is no definition "nobody" here' in answer["notice"]


async def test_a_changed_definition_closes_the_idle_clients_that_knew_the_old_one(
    tmp_path: Path, database_url: str
) -> None:
    """Others keep theirs."""
    async with control(tmp_path, parts(tmp_path, database_url=database_url)) as running:
        await upload(running.client)
        inside = (await running.say(definition="reviewer")).json()["conversation_id"]
        await running.say()
        address = f"{AGENTS}/reviewer/content"
        changed = await running.client.put(address, json={"content": "You praise."})

    assert changed.status_code == 200
    assert running.engine.closed == [inside]


@pytest.mark.parametrize("path", ["/api/registry/agents", "/api/registry/skills"])
async def test_a_directory_of_definitions_that_is_not_there_is_an_empty_one(
    tmp_path: Path, path: str
) -> None:
    used = parts(tmp_path, definitions_directory=str(tmp_path / "nowhere" / "x"))
    async with control(tmp_path, used) as running:
        answer = await running.client.get(path)
        refused = await upload(running.client)

    assert answer.status_code == 200
    assert refused.status_code == 503
    assert "Lay out the deployment's state again" in refused.json()["error"]
