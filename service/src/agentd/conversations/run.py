# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""One turn: its message stored, said, tried once more if need be, and its answer."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace

from agentd.conversations.beginning import Beginning
from agentd.conversations.ending import Ended, end_turn
from agentd.conversations.failures import (
    BROKEN_OFF,
    LOST,
    failed,
    handed_over,
    not_stored,
)
from agentd.conversations.parts import TurnParts
from agentd.conversations.values import Ask, RunningTurn
from agentd.conversations.worktree import Worktree
from agentd.database.claims import demand_mine
from agentd.database.conversations import Message, change_content
from agentd.database.interrupted import InterruptedTurn
from agentd.database.sessions import put_session
from agentd.database.writer import Transaction
from agentd.engine.protocol import ClientWish, TurnOutcome
from agentd.errors import (
    AgentdError,
    AgentLost,
    ConversationElsewhere,
    DatabaseConflict,
    Draining,
    EngineBusy,
    SessionInUse,
    SessionNotFound,
    TurnHandedOver,
    WorkdirBusy,
    WorkdirFailed,
)
from agentd.log import get_log
from agentd.sessions.choose import (
    Choice,
    after_in_use,
    after_not_found,
    join_notices,
)
from agentd.sessions.identity import (
    SessionKey,
    StoredSession,
    new_message_id,
    new_session_id,
)

log = get_log("turn")


@dataclass
class TurnRun:
    """A turn that is chosen; ``run`` begins it and brings it to its end.

    ``session`` is what the database holds of the session, and stays so.
    """

    parts: TurnParts
    turn: RunningTurn
    choice: Choice
    session: StoredSession
    beginning: Beginning
    wish: ClientWish
    ask: Ask
    timeout_seconds: float
    worktree: Worktree

    def __post_init__(self) -> None:
        self._key = SessionKey(self.turn.agent, self.turn.conversation_id)
        self._user_message_id = new_message_id()
        self._said = self.ask.to_say(self.choice.resume)
        self._ended = False
        self._lost = False
        self._refused: AgentdError | None = None
        self.broken_off = BROKEN_OFF

    async def run(self) -> None:
        """Store and say the message, prove and store the turn, set the answer."""
        try:
            await self._begin()
        except BaseException as error:
            self._fail(error)
            if not isinstance(error, Exception):
                raise
            return
        self.turn.begun.set_result(None)
        began = self.parts.clock.monotonic()
        broken_off = False
        try:
            outcome = await self._say()
        except TurnHandedOver:
            # The database goes on to tell that this turn runs: control looks for
            # its answer when it is back.
            self._fail(handed_over(self.turn))
            return
        except (Draining, EngineBusy, WorkdirBusy, WorkdirFailed) as error:
            # Nothing was said; the conversation tells that, and the caller may retry.
            outcome, self._refused = failed(str(error)), error
        except AgentLost as error:
            self._lost = True
            outcome = failed(LOST.format(error))
        except AgentdError as error:
            outcome = failed(str(error))
        except asyncio.CancelledError:
            outcome, broken_off = failed(self.broken_off), True
        except Exception as error:
            log.exception("turn_failed", conversation=self.turn.conversation_id)
            outcome = failed(f"The turn failed inside control: {error!r}.")
        await self._finish(outcome, self.parts.clock.monotonic() - began)
        if broken_off:
            raise asyncio.CancelledError

    @property
    def begun(self) -> bool:
        """Return whether the database holds that this turn began."""
        begun = self.turn.begun
        return begun.done() and begun.exception() is None

    def tell_cut_off(self) -> None:
        """Tell whoever waits, if the task was cancelled before it could."""
        if not self.turn.begun.done():
            self._fail(Draining("Cannot take a message: control stops. Try again."))
        elif not self.turn.answered.done():
            self._fail(handed_over(self.turn))

    def left(self) -> InterruptedTurn | None:
        """Return the turn if its end may be known to its agent's side alone.

        Either that side went away in its midst, or the answer could not be stored.
        """
        if not self.begun or (self._ended and not self._lost):
            return None
        return InterruptedTurn(
            key=self._key,
            session_id=self.session.session_id,
            turn_uuid=self.turn.turn_uuid,
            told=self._ended,
        )

    async def _finish(self, outcome: TurnOutcome, seconds: float) -> None:
        if not self._lost:
            # Of a turn that was lost it is given back when its end is known.
            await self.worktree.leave()
        ended = Ended(
            outcome=outcome,
            choice=self.choice,
            session=self.session,
            asked_model=self.wish.model,
            seconds=seconds,
            lost=self._lost,
            place=self.worktree.path,
        )
        try:
            answer, self.session = await end_turn(self.parts, self.turn, ended)
        except ConversationElsewhere as error:
            log.warning("turn_went_on_elsewhere", error=str(error))
            self._ended, self._lost = True, False
            self._fail(error)
            return
        except Exception as error:
            # Whatever it is, it must end no turn but this one.
            log.exception("turn_not_stored", conversation=self.turn.conversation_id)
            self._fail(not_stored(error))
            return
        self._ended = True
        if self._refused is not None:
            self._fail(self._refused)
            return
        self.turn.answered.set_result(answer)
        self.turn.feed.end()

    def _fail(self, error: BaseException) -> None:
        """Tell whoever waits; nobody has to."""
        kept = error if isinstance(error, AgentdError) else not_stored(error)
        for future in (self.turn.begun, self.turn.answered):
            if not future.done():
                future.set_exception(kept)
                future.exception()
        self.turn.feed.end()

    async def _begin(self) -> None:
        """Store the message, and that a turn runs.

        In a session that is known it is not synced: nobody is told of it before
        the answer, which takes it along.
        """
        now = self.parts.clock.now()
        beginning = self.beginning
        message = Message(
            id=self._user_message_id,
            conversation_id=self._key.conversation_id,
            role="user",
            content=self._said,
            status="said",
            created_at=now,
            sender=self.ask.sender,
            sender_name=self.ask.sender_name,
            turn_uuid=self.turn.turn_uuid,
        )

        claim = self.parts.claim(beginning.seen)

        def begin(connection: Transaction) -> None:
            beginning.store(connection, self._key, message, self.session, claim)

        try:
            await self.parts.database.do(begin, synced=beginning.new_session)
        except DatabaseConflict as error:
            raise beginning.refusal(error) from error

    async def _say(self) -> TurnOutcome:
        if self.worktree.hold is not None:
            await self._enter()
        clock = self.parts.clock
        began = clock.monotonic()
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
        return await self._try(self.timeout_seconds - (clock.monotonic() - began))

    async def _try(self, seconds: float) -> TurnOutcome:
        return await self.parts.engine.turn(
            self.wish,
            self._said,
            self.turn.feed.offer,
            timeout_seconds=seconds,
            message_uuid=self.turn.turn_uuid,
        )

    async def _enter(self) -> None:
        """Have the worktree for this turn alone, whatever it takes to make it."""
        live = self.parts.engine.live(self._key.conversation_id)
        told = await self.worktree.enter(
            self.session, fetch=live != self.session.session_id
        )
        notice = join_notices(self.choice.notice, told)
        self.choice = replace(self.choice, notice=notice)

    async def _use(self, choice: Choice) -> None:
        """Go on in another session, stored before anything is said in it.

        A session that is new was told nothing yet, so that all is said to it.
        """
        now = self.parts.clock.now()
        session = self.session
        if choice.session_id != session.session_id:
            session = StoredSession(
                choice.session_id,
                durable=False,
                created_at=now,
                working_directory=session.working_directory,
            )
        said = self.ask.message

        def change(connection: Transaction) -> None:
            demand_mine(connection, self._key.conversation_id, self.parts.claim())
            if session is not self.session:
                put_session(connection, self._key, session, now)
            if said != self._said:
                change_content(connection, self._user_message_id, said)

        await self.parts.database.do(change)
        self.session, self.choice, self._said = session, choice, said
        self.wish = replace(
            self.wish,
            session_id=choice.session_id,
            resume=choice.resume,
            resume_at=None,
        )
