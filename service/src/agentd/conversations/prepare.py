# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""From what is asked to a turn that can begin: its agent, its session, its client."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from agentd.conversations.beginning import Beginning
from agentd.conversations.definitions import Looked, demand_same, look
from agentd.conversations.feed import EventFeed
from agentd.conversations.parts import TurnParts
from agentd.conversations.proof import find_transcript, working_directory
from agentd.conversations.restoring import Goal
from agentd.conversations.run import TurnRun
from agentd.conversations.target import Known, Target, about_of, wish_of
from agentd.conversations.values import Ask, RunningTurn
from agentd.conversations.worktree import (
    Worktree,
    demand_same_branch,
    new_tree,
    tree_of,
)
from agentd.database.conversations import get_conversation
from agentd.definitions.names import wanted
from agentd.engine.mirror_store import Binding
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
from agentd.settings import ControlSettings
from agentd.work.workdirs import Hold

MAX_KNOWN = 4096

log = get_log("turns")


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
        """Return the conversation.

        Raise ConversationUnknown, AgentUnknown, WorkRefused, or what is raised for
        another definition or branch than the conversation has.
        """
        naming = self._parts.workdirs.naming
        if is_new:
            agent = self._settings.agent(ask.agent or self._default_agent)
            key = SessionKey(agent.name, conversation_id)
            definition, tree = wanted(ask.definition), new_tree(ask, naming)
            return Target(key, agent, None, True, definition, tree=tree)
        known = await self._read(conversation_id)
        if ask.agent is not None and ask.agent != known.agent:
            raise AgentUnknown(
                f'Conversation "{conversation_id}" belongs to agent "{known.agent}", '
                f'not to "{ask.agent}". Leave the agent out, or begin a conversation.'
            )
        demand_same(ask, known.definition, conversation_id)
        demand_same_branch(ask, known.tree, conversation_id)
        key = SessionKey(known.agent, conversation_id)
        agent = self._settings.agent(known.agent)
        definition, last = known.definition, known.last
        return Target(key, agent, known.session, False, definition, last, known.tree)

    async def prepare(self, ask: Ask, target: Target) -> TurnRun:
        """Return the turn; raise AgentUnavailable, EngineBusy or an agent's error."""
        self._check_room(target.key)
        if self._parts.admission is not None:
            await self._parts.admission.admit(target.key.agent)
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
            session=self.new_session(target, choice.session_id)
            if stored is None or new_session
            else stored,
            beginning=Beginning(
                new_conversation=target.is_new,
                new_session=new_session,
                about=about_of(ask, target),
                seen=None if target.last is None else target.last.message_count,
            ),
            wish=wish_of(target, choice, ask, looked),
            ask=ask,
            timeout_seconds=self._timeout(ask),
            worktree=self._worktree(target),
        )

    def _worktree(self, target: Target) -> Worktree:
        tree, key, workdirs = target.tree, target.key, self._parts.workdirs
        if tree is None:
            return Worktree(workdirs)
        return Worktree(workdirs, Hold(key.agent, tree, key.conversation_id))

    def new_session(self, target: Target, session_id: str) -> StoredSession:
        """Return a session of which nothing is on disk yet."""
        return StoredSession(
            session_id,
            durable=False,
            created_at=self._parts.clock.now(),
            working_directory=self._place(target),
        )

    def _place(self, target: Target) -> str | None:
        """Return where the agent said that it works; a worktree's place comes later."""
        if target.tree is not None:
            return None
        return working_directory(self._parts.spawner, target.key.agent)

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
        tree = tree_of(found, self._parts.workdirs.naming)
        return Known(found.agent, found.session, found.definition, found, tree)

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
            goal = Goal(self._parts.spawner, target.definition, target.tree)
            await self._parts.keeping.settle(binding, goal)
        transcript = await find_transcript(
            self._parts.spawner, agent, stored.session_id
        )
        found = Found(
            agent=agent,
            stored=stored,
            transcript_exists=transcript.exists,
            working_directory=self._place(target),
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
