# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""The sessions of conversations: listed, looked at, repaired and forgotten."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated

from fastapi import APIRouter, Path, Query
from starlette.exceptions import HTTPException

from agentd.api.bodies import Label
from agentd.api.errors import refusals
from agentd.api.place_bodies import Issue, Repository
from agentd.api.session_bodies import (
    DroppedAnswer,
    OrphanBody,
    RepairAnswer,
    RepairBody,
    SessionsAnswer,
)
from agentd.api.session_reports import (
    Look,
    read_faults,
    read_listed,
    read_verdict,
    session_body,
)
from agentd.api.state import Service, ServiceDep
from agentd.database.sessions import (
    KnownSession,
    find_session,
    list_sessions,
    session_ids,
)
from agentd.database.transcripts import stored_sizes
from agentd.errors import AgentdError
from agentd.sessions.identity import canonical_uuid
from agentd.spawner.calls import printable

CALL_SECONDS = 15.0
SCAN_SECONDS = 30.0
REPAIR_SECONDS = 60.0
SCANNED_AT_ONCE = 100
MAX_PAGES = 20
MAX_ORPHANS = 1000

router = APIRouter(tags=["sessions"])

Limit = Annotated[int, Query(ge=1, le=1000, description="How many at most.")]
Offset = Annotated[
    int, Query(ge=0, le=2**31, description="How many to leave out first.")
]
OneAgent = Annotated[Label | None, Query(description="Only those of this agent.")]
Scan = Annotated[
    bool, Query(description="Whether the agents look at the transcripts, up to 30 s.")
]
SessionId = Annotated[str, Path(max_length=64, description="The session's id.")]


@dataclass
class Found:
    """What the agents told of their transcripts."""

    scans: dict[tuple[str, str], Mapping[str, object]] = field(default_factory=dict)
    orphans: list[OrphanBody] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


@router.get("/sessions", responses=refusals(400, 401, 404, 503))
async def get_sessions(
    service: ServiceDep,
    agent: OneAgent = None,
    scan: Scan = False,
    limit: Limit = 100,
    offset: Offset = 0,
) -> SessionsAnswer:
    """Return the session of each conversation, the latest first.

    With scan, each agent tells whether the transcripts are there and sound, and
    which transcripts no conversation has.
    """
    _demand_declared(service, agent)
    async with service.database.read() as connection:
        known = await list_sessions(
            connection, limit=limit + 1, offset=offset, agent=agent
        )
        page = known[:limit]
        stored = await stored_sizes(connection, [_key(one) for one in page])
    found = await _look(service, agent, page) if scan else Found()
    return SessionsAnswer(
        sessions=[
            session_body(
                one,
                Look(
                    live=service.engine.live(one.conversation_id)
                    == one.session.session_id,
                    scanned=scan,
                    scan=found.scans.get(_key(one)),
                    stored_bytes=stored.get(_key(one)),
                ),
            )
            for one in page
        ],
        scanned=scan,
        more=len(known) > limit,
        orphans=found.orphans,
        problems=found.problems,
    )


@router.post(
    "/sessions/{session_id}/repair",
    responses=refusals(400, 401, 404, 409, 413, 503),
)
async def repair(
    session_id: SessionId, service: ServiceDep, body: RepairBody | None = None
) -> RepairAnswer:
    """Repair the transcript of a session that is at rest; keep the original beside.

    Its live client is closed first; the next turn resumes.
    """
    if canonical_uuid(session_id) is None:
        raise HTTPException(400, f'"{printable(session_id)}" is no session id.')
    agent = body.agent if body is not None else None
    _demand_declared(service, agent)
    async with service.database.read() as connection:
        known = await find_session(connection, session_id)
    mine = [one for one in known if agent is None or one.agent == agent]
    if len(mine) == 1:
        async with service.turns.resting.at_rest(mine[0].conversation_id):
            return await _repair(service, mine[0].agent, session_id)
    if agent is None:
        raise HTTPException(
            404,
            f'No conversation has the session "{session_id}". Name its agent if it is '
            "a transcript that no conversation has."
            if not mine
            else f'Several agents have the session "{session_id}". Name the agent.',
        )
    return await _repair(service, agent, session_id)


@router.delete("/sessions", responses=refusals(400, 401, 404, 409, 503))
async def drop(
    service: ServiceDep,
    repository: Annotated[Repository, Query(description="The repository.")],
    issue: Annotated[Issue, Query(description="The issue of it.")],
    agent: OneAgent = None,
) -> DroppedAnswer:
    """Forget the sessions about an issue, of one agent or of all.

    The next turn of each begins a new session; transcripts and messages stay.
    """
    _demand_declared(service, agent)
    count = await service.work.drop_sessions(repository, issue, agent)
    return DroppedAnswer(repository=repository, issue=issue, dropped=count)


def _key(known: KnownSession) -> tuple[str, str]:
    return known.agent, known.session.session_id


def _demand_declared(service: Service, agent: str | None) -> None:
    if agent is not None:
        service.settings.agent(agent)


async def _repair(service: Service, agent: str, session_id: str) -> RepairAnswer:
    answer = await service.spawner.call(
        agent,
        "repair_transcript",
        {"session_id": session_id},
        timeout_seconds=REPAIR_SECONDS,
    )
    kept = answer.get("kept")
    return RepairAnswer(
        session_id=session_id,
        agent=agent,
        repaired=answer.get("repaired") is True,
        kept=printable(kept) if isinstance(kept, str) else None,
        verdict=read_verdict(answer.get("verdict")),
        faults=read_faults(answer.get("faults")),
    )


async def _look(
    service: Service, agent: str | None, page: Sequence[KnownSession]
) -> Found:
    """Ask the agents side by side; what one of them does not tell is a problem."""
    found = Found()
    names = [entry.name for entry in service.settings.agents]
    async with asyncio.TaskGroup() as tasks:
        for name in [agent] if agent is not None else names:
            ids = [one.session.session_id for one in page if one.agent == name]
            tasks.create_task(_look_at(service, name, ids, found))
    found.orphans.sort(key=lambda one: (one.agent, one.session_id))
    return found


async def _look_at(
    service: Service, agent: str, ids: Sequence[str], found: Found
) -> None:
    try:
        async with asyncio.timeout(SCAN_SECONDS):
            await _scan(service, agent, ids, found)
            await _list(service, agent, found)
    except AgentdError as error:
        found.problems.append(str(error))
    except TimeoutError:
        found.problems.append(
            f'Agent "{agent}" was not done within {SCAN_SECONDS:g} s. Ask for less at '
            "once, with limit."
        )


async def _scan(service: Service, agent: str, ids: Sequence[str], found: Found) -> None:
    left = list(ids)
    while left:
        asked, rest = left[:SCANNED_AT_ONCE], left[SCANNED_AT_ONCE:]
        answer = await service.spawner.call(
            agent,
            "scan_transcripts",
            {"session_ids": asked},
            timeout_seconds=CALL_SECONDS,
        )
        told = answer.get("sessions")
        scans = told if isinstance(told, dict) else {}
        new = {one: scans[one] for one in asked if isinstance(scans.get(one), dict)}
        if not new:
            found.problems.append(f'Agent "{agent}" told nothing of its transcripts.')
            return
        found.scans.update({(agent, one): scan for one, scan in new.items()})
        left = [*(one for one in asked if one not in new), *rest]


async def _list(service: Service, agent: str, found: Found) -> None:
    async with service.database.read() as connection:
        known = await session_ids(connection, agent)
    after: str | None = None
    mine: list[OrphanBody] = []
    for _page in range(MAX_PAGES):
        answer = await service.spawner.call(
            agent,
            "list_transcripts",
            {"after": after, "limit": MAX_ORPHANS},
            timeout_seconds=CALL_SECONDS,
        )
        listed = read_listed(agent, answer.get("sessions"))
        mine += [one for one in listed if one.session_id not in known]
        following = canonical_uuid(answer.get("next"))
        if following is None or len(mine) >= MAX_ORPHANS:
            break
        after = following
    found.orphans += mine[:MAX_ORPHANS]
