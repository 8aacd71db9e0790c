# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""After a change: agents sync their skills, idle clients that knew the old close."""

from __future__ import annotations

from dataclasses import dataclass, field

from agentd.api.admin import reload_agents
from agentd.api.state import Service
from agentd.database.definitions import conversations_in
from agentd.definitions.values import AGENTS, Kind
from agentd.errors import AgentdError, ConversationBusy
from agentd.log import get_log

log = get_log("definitions")


@dataclass
class Told:
    """Which agents synced their skills, with what hindered it, and what else did."""

    reloaded: dict[str, str | None] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)


async def told_of_change(
    service: Service, kind: Kind, name: str, reload: bool = True
) -> Told:
    """Let who uses it have the change, which is stored, whatever hinders that.

    A live client knows what it started with: those that are idle are closed, so that
    the next turn of their conversation resumes with the change.
    """
    told = Told()
    try:
        told.reloaded = await _tell(service, kind, name, reload)
    except* AgentdError as errors:
        for error in errors.exceptions:
            log.warning("change_not_told", kind=kind.word, name=name, error=str(error))
            told.warnings.append(
                f"It is stored, and idle clients may still know what was: {error}"
            )
    return told


async def _tell(
    service: Service, kind: Kind, name: str, reload: bool
) -> dict[str, str | None]:
    if kind is AGENTS:
        await _close_idle(service, name)
        return {}
    if not reload:
        return {}
    told = await reload_agents(service, None)
    return {
        agent: str(one) if isinstance(one, AgentdError) else None
        for agent, one in told.items()
    }


async def _close_idle(service: Service, definition: str) -> None:
    async with service.database.read() as connection:
        known = await conversations_in(connection, definition)
    for conversation_id in known:
        if service.engine.live(conversation_id) is None:
            continue
        try:
            async with service.turns.resting.at_rest(conversation_id):
                continue
        except ConversationBusy:
            # It has the change when its client is started the next time.
            continue
