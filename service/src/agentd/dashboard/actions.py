# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""What can be done from a page: reset a conversation, reload skills, sweep."""

from __future__ import annotations

from typing import Annotated

from fastapi import Form
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from agentd.api.admin import reload_agents
from agentd.api.state import Service, ServiceDep
from agentd.dashboard.entrance import Code, demand_own_form
from agentd.dashboard.render import HEADERS
from agentd.dashboard.routing import pages
from agentd.dashboard.sign_in import next_page
from agentd.database.dashboard_lists import shown_conversation
from agentd.errors import AgentdError, ConversationUnknown
from agentd.log import get_log

router = pages()
log = get_log("dashboard")

Next = Annotated[str, Form(max_length=2000)]
Id = Annotated[str, Form(max_length=64)]


@router.post("/actions/reset")
async def reset(
    request: Request,
    service: ServiceDep,
    conversation: Id,
    code: Code = "",
    next: Next = "",
) -> Response:
    """Forget a conversation's session, and its worktree where it has one."""
    demand_own_form(request, code)
    done = await _reset(service, conversation)
    log.info("reset_by_dashboard", conversation=conversation, done=done)
    return _back(next, done)


@router.post("/actions/reload")
async def reload(
    request: Request,
    service: ServiceDep,
    agent: Id = "",
    code: Code = "",
    next: Next = "",
) -> Response:
    """Sync the skills of one agent, or of all."""
    demand_own_form(request, code)
    if agent:
        service.settings.agent(agent)
    told = await reload_agents(service, agent or None)
    failed = [one for one in told.values() if isinstance(one, AgentdError)]
    if failed:
        raise failed[0]
    return _back(next, "reloaded")


@router.post("/actions/sweep")
async def sweep(
    request: Request,
    service: ServiceDep,
    dry_run: Annotated[bool, Form()] = False,
    code: Code = "",
    next: Next = "",
) -> Response:
    """Sweep now, or only tell what a sweep would remove."""
    demand_own_form(request, code)
    swept = await service.sweeper.sweep("request", dry_run=dry_run)
    log.info("swept_by_dashboard", dry_run=dry_run, number=swept.sweep.number)
    return _back(next, "tried" if dry_run else "swept")


async def _reset(service: Service, conversation_id: str) -> str:
    async with service.database.read() as connection:
        one = await connection.run_sync(shown_conversation, conversation_id)
    if one is None:
        raise ConversationUnknown(
            f'Cannot reset conversation "{conversation_id}": it does not exist.'
        )
    if one.repository is None or one.issue is None:
        dropped = await service.turns.resting.drop_session(one.id)
        return "session" if dropped else "nothing"
    both = await service.work.reset(one.agent, one.repository, one.issue)
    if both.session:
        return "both" if both.worktree else "session"
    return "worktree" if both.worktree else "nothing"


def _back(leads: str, done: str) -> Response:
    """Return to the page that asked, which then says what was done."""
    path, _mark, query = next_page(leads).partition("?")
    kept = [one for one in query.split("&") if one and not one.startswith("done=")]
    return RedirectResponse(f"{path}?{'&'.join([*kept, f'done={done}'])}", 303, HEADERS)
