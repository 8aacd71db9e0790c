# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""One turn from its first try to its proof and its place in the database."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from typing import Protocol

from agentd.clock import Clock
from agentd.conversations.proof import Proof, prove_turn
from agentd.conversations.values import Answer, RunningTurn
from agentd.database.conversations import IDLE, Message, add_message
from agentd.database.open import Database
from agentd.database.sessions import mark_durable, put_session, session_is_bound
from agentd.engine.protocol import ClientWish, Engine, TurnOutcome
from agentd.errors import (
    AgentdError,
    DatabaseFailed,
    SessionInUse,
    SessionNotFound,
)
from agentd.log import get_log
from agentd.sessions.choose import (
    UNPROVED,
    Choice,
    after_in_use,
    after_not_found,
    join_notices,
)
from agentd.sessions.identity import SessionKey, StoredSession, new_session_id
from agentd.spawner.protocol import Spawner

BROKEN_OFF = "The turn was broken off: control stopped. Say it again."

log = get_log("turn")


class TurnWatch(Protocol):
    """Who is told of each turn that ended."""

    def turn_ended(self, answer: Answer) -> None:
        """Count a turn."""


@dataclass(frozen=True)
class TurnParts:
    """What every turn works with."""

    database: Database
    engine: Engine
    spawner: Spawner
    watch: TurnWatch


@dataclass
class TurnRun:
    """A turn that was stored as begun; ``run`` brings it to its end."""

    parts: TurnParts
    clock: Clock
    turn: RunningTurn
    choice: Choice
    wish: ClientWish
    message: str
    timeout_seconds: float

    async def run(self) -> None:
        """Say the message, prove and store the turn, and set the answer."""
        began = self.clock.monotonic()
        broken_off = False
        try:
            outcome = await self._say()
        except AgentdError as error:
            outcome = _failed(str(error))
        except asyncio.CancelledError:
            outcome, broken_off = _failed(BROKEN_OFF), True
        except Exception as error:
            log.exception("turn_failed", conversation=self.turn.conversation_id)
            outcome = _failed(f"The turn failed inside control: {error!r}.")
        try:
            answer = await self._finish(outcome, self.clock.monotonic() - began)
            self.turn.answered.set_result(answer)
        except Exception as error:
            # Whatever it is, it must end no turn but this one.
            log.exception("turn_not_stored", conversation=self.turn.conversation_id)
            self.turn.answered.set_exception(_not_stored(error))
            self.turn.answered.exception()
        finally:
            self.turn.feed.end()
        if broken_off:
            raise asyncio.CancelledError

    async def _say(self) -> TurnOutcome:
        began = self.clock.monotonic()
        try:
            return await self._try(self.timeout_seconds)
        except SessionNotFound as error:
            if not self.choice.resume:
                raise
            log.warning("resume_failed", session=self.wish.session_id, error=str(error))
            await self._use(after_not_found(self.turn.agent, new_session_id()))
        except SessionInUse as error:
            if self.choice.resume:
                raise
            log.warning(
                "session_in_use", session=self.wish.session_id, error=str(error)
            )
            await self._use(after_in_use(self.choice))
        return await self._try(self.timeout_seconds - (self.clock.monotonic() - began))

    async def _try(self, seconds: float) -> TurnOutcome:
        return await self.parts.engine.turn(
            self.wish,
            self.message,
            self.turn.feed.offer,
            timeout_seconds=seconds,
            message_uuid=new_session_id(),
        )

    async def _use(self, choice: Choice) -> None:
        """Go on in another session, stored before anything is said in it."""
        if choice.session_id != self.choice.session_id:
            async with self.parts.database.write() as connection:
                session = StoredSession(choice.session_id, durable=False)
                await put_session(connection, self._key(), session, self.clock.now())
        self.choice = choice
        self.wish = replace(
            self.wish, session_id=choice.session_id, resume=choice.resume
        )

    async def _finish(self, outcome: TurnOutcome, seconds: float) -> Answer:
        session_id = await self._latest_session(outcome)
        proof = await prove_turn(
            self.parts.spawner, self.turn.agent, session_id, outcome.last_message_uuid
        )
        if outcome.status == "success" and not proof.holds:
            log.error(
                "turn_not_on_disk",
                agent=self.turn.agent,
                conversation=self.turn.conversation_id,
                session=session_id,
            )
        answer = self._answer(outcome, proof, session_id, seconds)
        await self._store(answer, proof)
        self.parts.watch.turn_ended(answer)
        log.info(
            "turn_ended",
            agent=answer.agent,
            conversation=answer.conversation_id,
            status=answer.status,
            duration_ms=answer.duration_ms,
            persisted=answer.persisted,
            resumed=answer.resumed,
        )
        return answer

    def _answer(
        self, outcome: TurnOutcome, proof: Proof, session_id: str, seconds: float
    ) -> Answer:
        unproved = outcome.status == "success" and not proof.holds
        return Answer(
            status=outcome.status,
            conversation_id=self.turn.conversation_id,
            message_id=self.turn.message_id,
            agent=self.turn.agent,
            session_id=session_id,
            result=outcome.result,
            error=outcome.error,
            model=outcome.model or self.wish.model,
            duration_ms=round(seconds * 1000),
            persisted=proof.holds,
            resumed=self.choice.resume,
            notice=join_notices(
                self.choice.notice,
                UNPROVED.format(agent=self.turn.agent) if unproved else None,
            ),
        )

    async def _latest_session(self, outcome: TurnOutcome) -> str:
        """Return the session that the CLI now names, stored if it is another."""
        current = self.choice.session_id
        if outcome.session_id is None or outcome.session_id == current:
            return current
        agent = self.turn.agent
        async with self.parts.database.write() as connection:
            if await session_is_bound(connection, agent, outcome.session_id):
                log.warning("foreign_session_refused", agent=agent, session=current)
                return current
            session = StoredSession(outcome.session_id, durable=False)
            await put_session(connection, self._key(), session, self.clock.now())
        return outcome.session_id

    async def _store(self, answer: Answer, proof: Proof) -> None:
        now = self.clock.now()
        message = Message(
            id=answer.message_id,
            conversation_id=answer.conversation_id,
            role="assistant",
            content=answer.result or answer.error or "",
            status=answer.status,
            created_at=now,
        )
        async with self.parts.database.write() as connection:
            await add_message(connection, message, IDLE)
            if proof.exists:
                await mark_durable(connection, self._key(), answer.session_id, now)

    def _key(self) -> SessionKey:
        return SessionKey(self.turn.agent, self.turn.conversation_id)


def _not_stored(error: Exception) -> AgentdError:
    if isinstance(error, AgentdError):
        return error
    return DatabaseFailed(
        f"Cannot store the answer of this turn: {type(error).__name__}. "
        "Look into the log of control."
    )


def _failed(error: str) -> TurnOutcome:
    return TurnOutcome(
        status="error",
        result=None,
        error=error,
        model=None,
        session_id=None,
        last_message_uuid=None,
    )
