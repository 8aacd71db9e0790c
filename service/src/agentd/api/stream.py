# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""A running turn as server-sent events."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass

from agentd.api.bodies import AnswerBody, OutboundBody
from agentd.api.times import iso
from agentd.conversations.values import Answer, RunningTurn
from agentd.engine.protocol import Chunk, Thinking, TurnEvent
from agentd.errors import AgentdError

KEEP_ALIVE_SECONDS = 15.0
KEEP_ALIVE = b": the turn runs\n\n"


@dataclass(frozen=True)
class Wanted:
    """What the caller wants to see of a turn, beside its answer."""

    thinking: bool
    tool_use: bool


def answer_body(answer: Answer) -> AnswerBody:
    """Return the body that tells how a turn ended."""
    return AnswerBody(
        status=answer.status,
        conversation_id=answer.conversation_id,
        message_id=answer.message_id,
        agent=answer.agent,
        result=answer.result,
        error=answer.error,
        model=answer.model,
        session_id=answer.session_id,
        duration_ms=answer.duration_ms,
        persisted=answer.persisted,
        resumed=answer.resumed,
        notice=answer.notice,
        outbound_messages=[
            OutboundBody(
                id=one.id or 0,
                conversation_id=one.conversation_id,
                text=one.text,
                sender=one.source,
                created_at=iso(one.created_at),
            )
            for one in answer.outbound_messages
        ],
        last_message_uuid=answer.last_message_uuid,
        cost_usd=answer.cost_usd,
        session_end_marker=answer.session_end_marker,
        session_end_marker_detected=answer.session_end_marker_detected,
    )


async def stream_turn(turn: RunningTurn, wanted: Wanted) -> AsyncIterator[bytes]:
    """Return the turn's events: start, what comes, and at last done or error."""
    try:
        yield event(
            "start",
            {
                "conversation_id": turn.conversation_id,
                "message_id": turn.message_id,
                "session_id": turn.session_id,
                "agent": turn.agent,
            },
        )
        async for happened in turn.feed.read(KEEP_ALIVE_SECONDS):
            if happened is None:
                yield KEEP_ALIVE
            elif (line := _line(happened, wanted)) is not None:
                yield line
        try:
            answer = await turn.answer()
        except AgentdError as error:
            yield event(
                "error",
                {"error": str(error), "conversation_id": turn.conversation_id},
            )
            return
        for one in answer.outbound_messages:
            yield event("chunk", {"text": one.text, "sender": one.source})
        if answer.status != "success":
            yield event("error", {"error": answer.error, "status": answer.status})
        yield event("done", answer_body(answer).model_dump())
    finally:
        turn.feed.forget()


def event(name: str, data: Mapping[str, object]) -> bytes:
    """Return one server-sent event."""
    return f"event: {name}\ndata: {json.dumps(data)}\n\n".encode()


def _line(happened: TurnEvent, wanted: Wanted) -> bytes | None:
    if isinstance(happened, Chunk):
        return event("chunk", {"text": happened.text})
    if isinstance(happened, Thinking):
        return event("thinking", {"text": happened.text}) if wanted.thinking else None
    if not wanted.tool_use:
        return None
    return event("tool_use", {"name": happened.name, "input": dict(happened.input)})
