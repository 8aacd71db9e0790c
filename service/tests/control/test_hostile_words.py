# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""What an agent says may be anything: it ends at most its own turn."""

from __future__ import annotations

from pathlib import Path

import claude_agent_sdk as sdk

from agentd.api.probes import read_probe
from agentd.engine.claude import translate
from agentd.engine.client import Began, Ended, Said
from agentd.engine.protocol import Chunk, TurnOutcome

from .fakes import LAST_UUID, FakeEngine
from .running_app import Parts, control

# What JSON's "\ud83d" becomes: half of a character, as in a text that was cut.
HALF = "\ud83d"


def outcome(result: str) -> TurnOutcome:
    return TurnOutcome(
        status="success",
        result=result,
        error=None,
        model="fake",
        session_id=None,
        last_message_uuid=LAST_UUID,
    )


async def test_a_turn_that_cannot_be_stored_leaves_the_service_running(
    tmp_path: Path,
) -> None:
    engine = FakeEngine(script=[outcome(f"hi {HALF}")])

    async with control(tmp_path, Parts(engine=engine)) as running:
        broken = await running.say("first")
        next_one = await running.say("second")
        health = await running.client.get("/health")

    assert broken.status_code == 503
    assert (next_one.status_code, health.status_code) == (200, 200)


async def test_half_a_character_is_replaced_in_whatever_the_cli_tells() -> None:
    said = sdk.AssistantMessage(content=[sdk.TextBlock(f"a{HALF}")], model=f"m{HALF}")
    piece = sdk.StreamEvent(
        uuid="u",
        session_id="s",
        event={
            "type": "content_block_delta",
            "delta": {"type": "text_delta", "text": f"b{HALF}"},
        },
    )
    began = sdk.SystemMessage(subtype="init", data={"model": f"n{HALF}"})
    ended = sdk.ResultMessage(
        subtype="success",
        duration_ms=1,
        duration_api_ms=1,
        is_error=True,
        num_turns=1,
        session_id="s",
        result=f"c{HALF}",
        errors=[f"d{HALF}"],
    )

    told = [found for one in (said, piece, began, ended) for found in translate(one)]

    assert told[:3] == [
        Said(uuid=None, model="m?", text="a?"),
        Chunk("b?"),
        Began(session_id=None, model="n?"),
    ]
    assert isinstance(told[3], Ended)
    assert (told[3].result, told[3].error) == ("c?", "d?")


async def test_a_models_name_is_bounded() -> None:
    began = sdk.SystemMessage(subtype="init", data={"model": "m" * 100_000})

    (told,) = translate(began)

    assert isinstance(told, Began)
    assert told.model == "m" * 200


def test_what_an_agent_reports_as_its_errors_can_be_shown() -> None:
    answer = {"ok": False, "errors": [f"no{HALF}\nroom", 7]}

    probe = read_probe(answer)

    assert probe.errors == ("no  room", "it gave no reason")
