# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""The end of a turn: looked for on disk, stored with its answer, and told."""

from __future__ import annotations

from dataclasses import dataclass, replace

from agentd.conversations.outbox import Taken, give
from agentd.conversations.parts import TurnParts
from agentd.conversations.proof import Proof, prove_turn, working_directory
from agentd.conversations.values import Answer, RunningTurn
from agentd.database.agents import set_unproved
from agentd.database.claims import demand_mine
from agentd.database.claims import end_turn as end_turn_of
from agentd.database.conversations import IDLE, Message
from agentd.database.interrupted import INTERRUPTED
from agentd.database.outbound import OutboundMessage
from agentd.database.sessions import mark_durable, put_session, session_is_bound
from agentd.database.writer import Transaction
from agentd.engine.mirror_store import Binding
from agentd.engine.protocol import TurnOutcome
from agentd.log import get_log
from agentd.sessions.choose import UNPROVED, Choice, join_notices
from agentd.sessions.identity import SessionKey, StoredSession

log = get_log("turn")


@dataclass(frozen=True)
class Ended:
    """A turn as it ended, before it is looked for on disk.

    If it was ``lost``, its agent's side went away and may bring it to its end alone.
    ``place`` is its worktree, if it ran in one.
    """

    outcome: TurnOutcome
    choice: Choice
    session: StoredSession
    asked_model: str | None
    seconds: float
    lost: bool = False
    place: str | None = None


async def end_turn(
    parts: TurnParts, turn: RunningTurn, ended: Ended
) -> tuple[Answer, StoredSession]:
    """Prove and store the turn; return its answer and the session as stored."""
    session = await _latest_session(parts, turn, ended)
    uuid = ended.outcome.last_message_uuid
    proof = await prove_turn(parts.spawner, turn.agent, session.session_id, uuid)
    unstored = await _unstored(parts, turn, ended, proof, session.session_id)
    answer = _answer(turn, ended, proof, session.session_id)
    answer = replace(answer, notice=join_notices(answer.notice, unstored))
    if proof.exists:
        session = replace(
            session,
            durable=True,
            working_directory=ended.place
            or working_directory(parts.spawner, turn.agent),
            last_message_uuid=uuid or session.last_message_uuid,
            transcript_bytes=proof.size,
        )
    status = INTERRUPTED if ended.lost else IDLE
    answer = await _store(parts, answer, session, proof, status)
    parts.watch.turn_ended(answer)
    _log(answer)
    return answer, session


async def _unstored(
    parts: TurnParts, turn: RunningTurn, ended: Ended, proof: Proof, session_id: str
) -> str | None:
    """Return what to tell if the turn is on disk and could not be kept elsewhere."""
    if parts.keeping is None or ended.outcome.stored or not proof.exists:
        return None
    binding = Binding(turn.agent, turn.conversation_id, session_id)
    uuid = ended.outcome.last_message_uuid if proof.holds else None
    return await parts.keeping.prove(binding, uuid)


def _answer(turn: RunningTurn, ended: Ended, proof: Proof, session_id: str) -> Answer:
    outcome = ended.outcome
    unproved = outcome.status == "success" and not proof.holds
    return Answer(
        status=outcome.status,
        conversation_id=turn.conversation_id,
        message_id=turn.message_id,
        agent=turn.agent,
        session_id=session_id,
        result=outcome.result,
        error=outcome.error,
        model=outcome.model or ended.asked_model,
        duration_ms=round(ended.seconds * 1000),
        persisted=proof.holds,
        resumed=ended.choice.resume,
        notice=join_notices(
            ended.choice.notice,
            UNPROVED.format(agent=turn.agent) if unproved else None,
        ),
        turn_uuid=turn.turn_uuid,
        last_message_uuid=outcome.last_message_uuid,
        skills=outcome.skills,
        cost_usd=outcome.cost_usd,
        lost=ended.lost,
        session_end_marker=turn.session_end_marker,
    )


async def _latest_session(
    parts: TurnParts, turn: RunningTurn, ended: Ended
) -> StoredSession:
    """Return the session that the CLI now names, stored if it is another."""
    told = ended.outcome.session_id
    if told is None or told == ended.session.session_id:
        return ended.session
    now = parts.clock.now()
    session = StoredSession(told, durable=False, created_at=now)
    key = SessionKey(turn.agent, turn.conversation_id)

    def change(connection: Transaction) -> bool:
        demand_mine(connection, turn.conversation_id, parts.claim())
        if session_is_bound(connection, turn.agent, told):
            return False
        put_session(connection, key, session, now)
        return True

    if await parts.database.do(change):
        return session
    log.warning("foreign_session_refused", agent=turn.agent, session=told)
    return ended.session


async def _store(
    parts: TurnParts,
    answer: Answer,
    session: StoredSession,
    proof: Proof,
    status: str,
) -> Answer:
    now = parts.clock.now()
    key = SessionKey(answer.agent, answer.conversation_id)
    await parts.outbox.settled()
    taken = parts.outbox.take(answer.conversation_id)
    changes = answer.status == "success" and parts.unproved.changes(
        answer.agent, proved=answer.persisted
    )

    def store(connection: Transaction) -> tuple[tuple[OutboundMessage, ...], bool]:
        end_turn_of(connection, _message(answer, now), status, parts.claim())
        if proof.exists:
            mark_durable(connection, key, session, now)
        if changes:
            since = None if answer.persisted else now
            set_unproved(connection, answer.agent, since)
        return give(connection, taken, now) if taken else ((), False)

    try:
        texts, more = await parts.database.do(store)
    except BaseException:
        _undo(parts, taken)
        raise
    if changes:
        parts.unproved.note(answer.agent, proved=answer.persisted, now=now)
    if taken is None:
        return answer
    parts.outbox.given(taken, more=more)
    return replace(answer, outbound_messages=texts)


def _undo(parts: TurnParts, taken: Taken | None) -> None:
    if taken is not None:
        parts.outbox.put_back(taken)


def _message(answer: Answer, now: float) -> Message:
    return Message(
        id=answer.message_id,
        conversation_id=answer.conversation_id,
        role="assistant",
        content=answer.result or answer.error or "",
        status=answer.status,
        created_at=now,
        turn_uuid=answer.turn_uuid,
        last_message_uuid=answer.last_message_uuid,
        persisted=answer.persisted,
    )


def _log(answer: Answer) -> None:
    if answer.unproved:
        log.error(
            "turn_not_on_disk",
            agent=answer.agent,
            conversation=answer.conversation_id,
            session=answer.session_id,
        )
    log.info(
        "turn_ended",
        agent=answer.agent,
        conversation=answer.conversation_id,
        status=answer.status,
        duration_ms=answer.duration_ms,
        persisted=answer.persisted,
        resumed=answer.resumed,
    )
