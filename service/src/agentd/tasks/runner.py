# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Runs a task as a turn of a conversation, and finds out how a turn ended.

A task that was taken before looks for the end of its earlier turn first: what the
agent's side finished while control was away is not said again.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from agentd.conversations.turns import Turns
from agentd.conversations.values import Answer, Ask, RunningTurn
from agentd.database.open import Database
from agentd.database.turn_ends import find_turn_end
from agentd.engine.protocol import Chunk, Thinking, TurnEvent
from agentd.errors import (
    AgentdError,
    AgentUnavailable,
    ConversationBusy,
    DatabaseFailed,
    Draining,
    EngineBusy,
    UsageExceeded,
    WorkdirBusy,
    WorkdirFailed,
)
from agentd.log import get_log
from agentd.queue.values import Task, TaskEnd, TaskSteps
from agentd.sessions.identity import new_conversation_id, new_session_id
from agentd.settings import ControlSettings
from agentd.spawner.protocol import Spawner

FEED_SECONDS = 15.0
ABSENT_SECONDS = 20.0
ABSENT_PAUSE_SECONDS = 0.25
AGAIN_SECONDS = 1.0
# Many that wait for one conversation would else come again before any other is taken.
AGAIN_SHARE, LONGEST_AGAIN_SECONDS = 0.05, 15.0
LATER_SECONDS = 5.0
FORGE_SECONDS, FORGE_PAUSE = 600.0, 30.0
NOT_YET = (
    *(ConversationBusy, EngineBusy, AgentUnavailable, Draining, DatabaseFailed),
    UsageExceeded,
)
BROKEN_OFF = (
    "The turn was broken off: its task was cancelled, took too long, or control "
    "stopped. What was done until then stands in the session."
)
NO_ANSWER = "The turn ended without an answer."

log = get_log("tasks")


@dataclass(frozen=True)
class TurnRunner:
    """Runs tasks with the turns of this control."""

    settings: ControlSettings
    turns: Turns
    database: Database
    spawner: Spawner

    async def run(self, task: Task, steps: TaskSteps) -> TaskEnd:
        """Say the task's prompt and return how the turn ended.

        Its end is not known yet if the agent's side may end the turn alone: then the
        status is ``running``, or TurnHandedOver is raised.
        """
        earlier = await self.end_of(task)
        if earlier is None:
            return _again(LATER_SECONDS)
        if earlier.status != "queued":
            return earlier
        if not await self._until_connected(task):
            return _again(LATER_SECONDS)
        turn_uuid = new_session_id()
        try:
            return await self._run(task, steps, turn_uuid)
        except asyncio.CancelledError:
            await self.turns.break_off(turn_uuid, BROKEN_OFF)
            raise

    async def end_of(self, task: Task) -> TaskEnd | None:
        """Return the end of the task's latest turn, or None while it may still come."""
        turn_uuid = task.turn_uuid
        if turn_uuid is None:
            return TaskEnd("queued")
        found = await self.database.do(lambda c: find_turn_end(c, turn_uuid))
        if found is None:
            return TaskEnd("queued")
        if found.status in ("success", "recovered"):
            return TaskEnd("completed", result=found.content)
        if found.open:
            return None
        if found.status == "timeout":
            return TaskEnd("failed", error=found.content)
        return TaskEnd("queued", error=found.content)

    async def _run(self, task: Task, steps: TaskSteps, turn_uuid: str) -> TaskEnd:
        conversation_id = task.conversation_id or new_conversation_id()
        try:
            await steps.bind(conversation_id, turn_uuid)
            turn = await self.turns.begin(self._ask(task, turn_uuid, conversation_id))
        except NOT_YET as error:
            log.info("task_put_off", task=task.id, reason=str(error))
            return _again(again_seconds(task))
        told = _Told(steps)
        if task.conversation_id is None:
            await told.bind(turn)
        await told.listen(turn)
        try:
            answer = await turn.answer()
        except (Draining, EngineBusy, WorkdirBusy):
            # Nothing was said to the agent.
            return _again(again_seconds(task))
        except WorkdirFailed as error:
            # A forge may be away for a while; a repository that is none stays none.
            if waited_seconds(task) >= FORGE_SECONDS:
                raise
            return TaskEnd("queued", error=str(error), again_seconds=FORGE_PAUSE)
        await told.end(answer)
        return _end(answer)

    def _ask(self, task: Task, turn_uuid: str, conversation_id: str) -> Ask:
        is_new = task.conversation_id is None
        return Ask(
            message=task.prompt,
            message_if_resumed=task.prompt_if_resumed,
            conversation_id=task.conversation_id,
            repository=task.repository if is_new else None,
            issue=task.issue if is_new else None,
            branch=task.branch,
            agent=task.agent,
            sender=task.id,
            sender_name="Queued task" if task.schedule_id is None else "Scheduled task",
            model=task.model,
            definition=task.definition,
            turn_uuid=turn_uuid,
            new_conversation_id=conversation_id,
            timeout_seconds=self._seconds(task),
        )

    def _seconds(self, task: Task) -> float:
        longest = self.settings.task_timeout_seconds
        return min(longest, task.timeout_seconds or longest)

    async def _until_connected(self, task: Task) -> bool:
        """Wait a while for the agent's side, so that its tasks do not spin."""
        # The time limit ends a turn, and none began.
        longest = min(ABSENT_SECONDS, self._seconds(task) / 2)
        waited = 0.0
        while (state := self.spawner.states().get(task.agent)) is not None:
            if state.connected:
                return True
            if waited >= longest or self.turns.draining:
                return False
            await asyncio.sleep(ABSENT_PAUSE_SECONDS)
            waited += ABSENT_PAUSE_SECONDS
        return False


@dataclass(frozen=True)
class _Told:
    """Tells of a turn that goes on; what cannot be noted does not end it."""

    steps: TaskSteps

    async def bind(self, turn: RunningTurn) -> None:
        """Note the conversation, now that it exists."""
        try:
            await self.steps.bind(turn.conversation_id, turn.turn_uuid)
        except AgentdError as error:
            log.warning("task_not_bound", turn=turn.turn_uuid, error=str(error))

    async def listen(self, turn: RunningTurn) -> None:
        """Give on what the turn says until it ends."""
        self.steps.say(
            "start",
            {
                "conversation_id": turn.conversation_id,
                "message_id": turn.message_id,
                "session_id": turn.session_id,
                "agent": turn.agent,
            },
        )
        try:
            async for event in turn.feed.read(FEED_SECONDS):
                if event is not None:
                    await self._event(event)
        finally:
            turn.feed.forget()

    async def end(self, answer: Answer) -> None:
        """Give on what came with the answer."""
        for one in answer.outbound_messages:
            self.steps.say("chunk", {"text": one.text, "sender": one.source})
            await self._note("outbound", one.text)
        if answer.notice is not None:
            await self._note("notice", answer.notice)

    async def _event(self, event: TurnEvent) -> None:
        if isinstance(event, Chunk):
            self.steps.say("chunk", {"text": event.text})
        elif isinstance(event, Thinking):
            self.steps.say("thinking", {"text": event.text})
        else:
            self.steps.say("tool_use", {"name": event.name, "input": dict(event.input)})
            await self._note("tool_use", event.name)

    async def _note(self, event: str, detail: str) -> None:
        try:
            await self.steps.note(event, detail)
        except AgentdError as error:
            log.warning("task_not_noted", error=str(error))


def again_seconds(task: Task) -> float:
    """Return when to try a task again: the later, the longer it waits already."""
    share = AGAIN_SHARE * waited_seconds(task)
    return min(max(AGAIN_SECONDS, share), LONGEST_AGAIN_SECONDS)


def waited_seconds(task: Task) -> float:
    """Return how long after its acceptance the task was taken."""
    return (task.started_at or task.created_at) - task.created_at


def _again(seconds: float) -> TaskEnd:
    return TaskEnd("queued", again_seconds=seconds)


def _end(answer: Answer) -> TaskEnd:
    if answer.status == "success":
        return TaskEnd(
            "completed", result=answer.result or "", cost_usd=answer.cost_usd
        )
    if answer.lost:
        # Its agent's side may bring the turn to its end all the same.
        return TaskEnd("running")
    return TaskEnd(
        "failed",
        result=answer.result,
        error=answer.error or NO_ANSWER,
        cost_usd=answer.cost_usd,
    )
