# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Where the runs of a schedule take place: its agent and its conversation."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import select

from agentd.database.conversations import RUNNING, About, add_conversation
from agentd.database.interrupted import INTERRUPTED
from agentd.database.tables import conversations
from agentd.database.writer import Transaction
from agentd.definitions.names import wanted
from agentd.errors import AgentUnknown, ConversationBusy, TaskInvalid
from agentd.sessions.identity import SessionKey, new_conversation_id
from agentd.settings import ControlSettings
from agentd.tasks.values import Schedule


def placed(
    connection: Transaction, schedule: Schedule, settings: ControlSettings, now: float
) -> Schedule:
    """Return the schedule with its agent; a group without conversation begins one.

    Raise TaskInvalid if agent, conversation and definition do not go together.
    """
    if schedule.conversation_id is not None:
        schedule = _in_conversation(connection, schedule, schedule.conversation_id)
    if not schedule.agent:
        schedule = replace(schedule, agent=settings.agents[0].name)
    try:
        settings.agent(schedule.agent)
    except AgentUnknown as error:
        raise TaskInvalid(str(error)) from error
    if schedule.context_mode == "group" and schedule.conversation_id is None:
        key = SessionKey(schedule.agent, new_conversation_id())
        definition = wanted(schedule.definition)
        add_conversation(connection, key, now, About(definition=definition))
        schedule = replace(schedule, conversation_id=key.conversation_id)
    return schedule


def _in_conversation(
    connection: Transaction, schedule: Schedule, conversation_id: str
) -> Schedule:
    row = connection.execute(
        select(conversations.c.agent, conversations.c.definition).where(
            conversations.c.id == conversation_id
        )
    ).first()
    if row is None:
        raise TaskInvalid(
            f'Conversation "{conversation_id}" does not exist. Name one that does, or '
            "leave conversation_id out."
        )
    if schedule.agent and schedule.agent != row.agent:
        raise TaskInvalid(
            f'Conversation "{conversation_id}" belongs to agent "{row.agent}", not to '
            f'"{schedule.agent}". Leave the agent out, or name another conversation.'
        )
    in_group = schedule.context_mode == "group" and schedule.definition is not None
    if in_group and wanted(schedule.definition) != row.definition:
        raise TaskInvalid(
            f'Conversation "{conversation_id}" has another definition than '
            f'"{schedule.definition}", and keeps it. Leave definition out.'
        )
    return replace(schedule, agent=row.agent)


def demand_idle(connection: Transaction, schedule: Schedule) -> None:
    """Raise ConversationBusy if the conversation of a group is in a turn."""
    if schedule.context_mode != "group" or schedule.conversation_id is None:
        return
    status = connection.scalar(
        select(conversations.c.status).where(
            conversations.c.id == schedule.conversation_id
        )
    )
    if status in (RUNNING, INTERRUPTED):
        raise ConversationBusy(
            f'Conversation "{schedule.conversation_id}" is in a turn. Wait for its '
            "answer and try again.",
            schedule.conversation_id,
        )
