# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""The work directories of an agent, as its side lists them: claims, and bounded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import urlencode

from fastapi import Path, Query
from starlette.requests import Request
from starlette.responses import Response

from agentd.api.state import Service, ServiceDep
from agentd.dashboard.render import page
from agentd.dashboard.routing import pages
from agentd.dashboard.shown import Badge, Listed
from agentd.spawner.calls import printable
from agentd.workdirs.names import NameRefused, is_branch, parse_repository

CALL_SECONDS = 20.0
TREES = 25
LATEST = 1e12

router = pages()

Name = Annotated[str, Path(max_length=64)]
After = Annotated[str | None, Query(max_length=400)]


@dataclass(frozen=True)
class ShownTree:
    """A worktree: a branch of a repository, and whether somebody works in it."""

    repository: str
    branch: str
    path: str
    used_at: float | None
    states: tuple[Badge, ...]


@router.get("/agents/{name}/worktrees")
async def worktrees(
    request: Request, name: Name, service: ServiceDep, after: After = None
) -> Response:
    """Show an agent's worktrees; its side is asked, which looks at each."""
    service.settings.agent(name)
    listed = await _asked(service, name, after, request.url.path)
    values = {"agent": name, "listed": listed, "forges": service.settings.forges}
    return await page(request, "worktrees", values)


async def _asked(
    service: Service, agent: str, after: str | None, path: str
) -> Listed[ShownTree]:
    given = {"after": after, "limit": TREES}
    told = await service.spawner.call(
        agent, "list_workdirs", given, timeout_seconds=CALL_SECONDS
    )
    found = told.get("trees")
    rows = [
        one
        for one in (found if isinstance(found, list) else [])[:TREES]
        if isinstance(one, dict)
    ]
    last = rows[-1].get("name") if rows else None
    following = None
    if told.get("more") is True and isinstance(last, str) and len(last) <= 400:
        following = f"{path}?{urlencode({'after': last})}"
    trees = [tree for one in rows if (tree := read_tree(one)) is not None]
    return Listed(trees, path if after else None, following)


def read_tree(one: Mapping[str, object]) -> ShownTree | None:
    """Return a worktree that an answer lists, or None if it is none."""
    repository, branch, used = (
        one.get(key) for key in ("repository", "branch", "used_at")
    )
    if not isinstance(repository, str) or not is_branch(branch):
        return None
    try:
        name = parse_repository(repository)
    except NameRefused:
        return None
    known = isinstance(used, int | float) and not isinstance(used, bool)
    at = float(used) if known and 0 <= used < LATEST else None  # type: ignore[operator,arg-type]
    return ShownTree(
        str(name), str(branch), printable(one.get("path")), at, _states(one)
    )


def _states(one: Mapping[str, object]) -> tuple[Badge, ...]:
    found = [
        Badge("in use", "busy", "A turn works in it.") if one.get("held") else None,
        Badge("changes", "warn", "It has work that is not committed.")
        if one.get("dirty") is True
        else None,
    ]
    return tuple(badge for badge in found if badge is not None) or (
        Badge("clean", "good"),
    )
