# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""From what is asked to a turn that can begin: its agent, its session, its client."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace

from agentd.conversations.definitions import Looked, demand_same, look
from agentd.conversations.feed import EventFeed
from agentd.conversations.parts import TurnParts
from agentd.conversations.proof import find_transcript, working_directory
from agentd.conversations.run import Beginning, TurnRun
from agentd.conversations.values import Ask, RunningTurn
from agentd.database.conversations import Conversation, get_conversation
from agentd.definitions.names import wanted
from agentd.engine.mirror_store import Binding
from agentd.engine.protocol import ClientWish
from agentd.errors import (
    AgentUnavailable,
    AgentUnknown,
    ConversationUnknown,
    EngineBusy,
)
from agentd.log import get_log
from agentd.sessions.choose import Choice, Found, choose, join_notices
from agentd.sessions.identity import (
    SessionKey,
    StoredSession,
    new_message_id,
    new_session_id,
)
from agentd.sessions.rotation import RotationLimits, rotation_reason
from agentd.settings import AgentEntry, ControlSettings

MAX_KNOWN = 4096

log = get_log("turns")


@dataclass(frozen=True)
class Known:
    """What the database holds of a conversation, as it was stored last."""

    agent: str
    session: StoredSession | None
    definition: str | None = None
    last: Conversation | None = None


@dataclass(frozen=True)
class Target:
    """The conversation that is meant, which may be a new one.

    ``last`` is what was read of it just now: always, if other hosts may change it.
    """

    key: SessionKey
    agent: AgentEntry
    stored: StoredSession | None
    is_new: bool
    definition: str | None = None
    last: Conversation | None = None


class Preparation:
    """Finds what a turn needs; the caller holds the conversation's lock.

    Where control is the only writer of its database, what it stored itself of a
    conversation that has a live client need not be read again.
    """

    def __init__(self, settings: ControlSettings, parts: TurnParts) -> None:
        self._default_agent = settings.agents[0].name
        self._settings = settings
        self._limits = RotationLimits(
            max_bytes=settings.session_max_bytes, max_days=settings.session_max_days
        )
        self._parts = parts
        self._known: dict[str, Known] = {}

    def note(self, conversation_id: str, known: Known) -> None:
        """Remember what was stored of a conversation."""
        self._known.pop(conversation_id, None)
        self._known[conversation_id] = known
        if len(self._known) > MAX_KNOWN:
            del self._known[next(iter(self._known))]

    def forget(self, conversation_id: str) -> None:
        """Read the conversation from the database the next time."""
        self._known.pop(conversation_id, None)

    def agent_name(self, ask: Ask) -> str:
        """Return the agent for a conversation that is not known yet."""
        return self._settings.agent(ask.agent or self._default_agent).name

    async def find(self, ask: Ask, conversation_id: str, *, is_new: bool) -> Target:
        """Return the conversation; raise ConversationUnknown or AgentUnknown."""
        if is_new:
            agent = self._settings.agent(ask.agent or self._default_agent)
            key = SessionKey(agent.name, conversation_id)
            return Target(key, agent, None, True, wanted(ask.definition))
        known = await self._read(conversation_id)
        if ask.agent is not None and ask.agent != known.agent:
            raise AgentUnknown(
                f'Conversation "{conversation_id}" belongs to agent "{known.agent}", '
                f'not to "{ask.agent}". Leave the agent out, or begin a conversation.'
            )
        demand_same(ask, known.definition, conversation_id)
        key = SessionKey(known.agent, conversation_id)
        agent = self._settings.agent(known.agent)
        definition, last = known.definition, known.last
        return Target(key, agent, known.session, False, definition, last)

    async def prepare(self, ask: Ask, target: Target) -> TurnRun:
        """Return the turn; raise AgentUnavailable, EngineBusy or an agent's error."""
        self._check_room(target.key)
        if ask.resume_at is not None:
            # A live client goes on at the end of the session and nowhere else.
            await self._parts.engine.close(target.key.conversation_id)
        choice = await self._choose(target)
        looked = Looked()
        if self._parts.engine.live(target.key.conversation_id) is None:
            looked = look(self._settings, target.definition, resumes=choice.resume)
        if looked.notice is not None:
            told = join_notices(choice.notice, looked.notice)
            choice = replace(choice, notice=told)
        turn = new_turn(target.key, choice.session_id, self._settings, ask.turn_uuid)
        stored = target.stored
        new_session = stored is None or stored.session_id != choice.session_id
        return TurnRun(
            parts=self._parts,
            turn=turn,
            choice=choice,
            session=self.new_session(target.key.agent, choice.session_id)
            if stored is None or new_session
            else stored,
            beginning=Beginning(
                new_conversation=target.is_new,
                new_session=new_session,
                issue=ask.issue_of(target.key.agent),
                seen=None if target.last is None else target.last.message_count,
            ),
            wish=_wish(target, choice, ask, looked),
            ask=ask,
            timeout_seconds=self._timeout(ask),
        )

    def new_session(self, agent: str, session_id: str) -> StoredSession:
        """Return a session of which nothing is on disk yet."""
        return StoredSession(
            session_id,
            durable=False,
            created_at=self._parts.clock.now(),
            working_directory=working_directory(self._parts.spawner, agent),
        )

    async def _read(self, conversation_id: str) -> Known:
        known = self._known.get(conversation_id)
        if self._parts.database.shared:
            known = None
        if known is not None and self._parts.engine.live(conversation_id) is not None:
            return known
        async with self._parts.database.read() as connection:
            found = await get_conversation(connection, conversation_id)
        if found is None:
            raise unknown(conversation_id)
        return Known(found.agent, found.session, found.definition, found)

    def _check_room(self, key: SessionKey) -> None:
        if not self._parts.spawner.states()[key.agent].connected:
            raise AgentUnavailable(
                f'Cannot reach agent "{key.agent}": its side is not connected. '
                "Start its container and try again."
            )
        if not self._parts.engine.has_room(key.agent, key.conversation_id):
            raise EngineBusy(
                "Cannot start a client: all that may live are in a turn, and no "
                "further turn may wait for one. Try again shortly, or raise "
                "max_live_clients or max_waiting_turns."
            )

    async def _choose(self, target: Target) -> Choice:
        agent, stored = target.key.agent, target.stored
        if stored is None:
            return Choice(new_session_id(), resume=False)
        rotation = rotation_reason(stored, self._limits, self._parts.clock.now())
        await self._leave_elsewhere(target)
        live = self._parts.engine.live(target.key.conversation_id)
        if live == stored.session_id and rotation is None:
            return Choice(stored.session_id, resume=True)
        if self._parts.keeping is not None:
            conversation_id = target.key.conversation_id
            binding = Binding(agent, conversation_id, stored.session_id)
            await self._parts.keeping.settle(binding, target.definition)
        transcript = await find_transcript(
            self._parts.spawner, agent, stored.session_id
        )
        found = Found(
            agent=agent,
            stored=stored,
            transcript_exists=transcript.exists,
            working_directory=working_directory(self._parts.spawner, agent),
            rotation=rotation if transcript.exists else None,
            foreign=transcript.foreign,
        )
        choice = choose(found, new_session_id())
        if choice.session_id != stored.session_id:
            why = "foreign" if transcript.foreign else "missing"
            log.warning(
                "session_left",
                agent=agent,
                session=stored.session_id,
                reason=rotation or f"its transcript is {why}",
            )
        return choice

    async def _leave_elsewhere(self, target: Target) -> None:
        """Close a client that does not know what was said at another host."""
        host = None if target.last is None else target.last.host
        if host not in {None, self._parts.host.name}:
            await self._parts.engine.close(target.key.conversation_id)

    def _timeout(self, ask: Ask) -> float:
        if ask.timeout_seconds is not None:
            return ask.timeout_seconds
        longest = self._settings.max_execution_seconds
        if ask.max_execution_ms is None:
            return longest
        return min(longest, ask.max_execution_ms / 1000)


def new_turn(
    key: SessionKey,
    session_id: str,
    settings: ControlSettings,
    turn_uuid: str | None = None,
) -> RunningTurn:
    """Return a turn that has not begun."""
    loop = asyncio.get_running_loop()
    return RunningTurn(
        conversation_id=key.conversation_id,
        message_id=new_message_id(),
        agent=key.agent,
        session_id=session_id,
        turn_uuid=turn_uuid or new_session_id(),
        feed=EventFeed(),
        begun=loop.create_future(),
        answered=loop.create_future(),
        session_end_marker=settings.session_end_marker,
    )


def unknown(conversation_id: str) -> ConversationUnknown:
    """Return the refusal of a conversation that does not exist."""
    return ConversationUnknown(
        f'Conversation "{conversation_id}" does not exist. '
        "Leave conversation_id out to begin one."
    )


def _wish(target: Target, choice: Choice, ask: Ask, looked: Looked) -> ClientWish:
    agent = target.agent
    return ClientWish(
        agent=agent.name,
        conversation_id=target.key.conversation_id,
        session_id=choice.session_id,
        resume=choice.resume,
        model=ask.model or agent.model,
        fallback_model=agent.fallback_model,
        permission_mode=agent.permission_mode,
        thinking_tokens=ask.thinking_tokens,
        system_prompt=agent.system_prompt,
        mcp_servers_json=ask.mcp_servers_json,
        tools=tuple(agent.tools),
        resume_at=ask.resume_at if choice.resume else None,
        definition=target.definition,
        definition_found=looked.found,
    )
