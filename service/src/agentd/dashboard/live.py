# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Tells open pages that something changed; they then fetch themselves anew."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import ExitStack

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from agentd.api.joined import Joined
from agentd.api.state import Service, ServiceDep
from agentd.dashboard.render import HEADERS
from agentd.dashboard.routing import pages
from agentd.database.dashboard_figures import change_marks
from agentd.errors import DatabaseFailed

LOOK_SECONDS = 1.0
BEAT_SECONDS = 15.0
# Then the browser comes again, and has to be signed in still.
LONGEST_SECONDS = 600.0
MAX_PAGES = 32
FULL = "{} pages of the dashboard are live already. This one works without."

Marks = Mapping[str, object]

router = pages()


class Changes:
    """What changed last, looked for once for all pages that are open."""

    def __init__(self) -> None:
        self.pages = Joined(MAX_PAGES, FULL)
        self._asking = asyncio.Lock()
        self._known: Marks = {}
        self._until = float("-inf")

    async def marks(self, service: Service) -> Marks:
        """Return values by topic, at most a second old."""
        async with self._asking:
            now = service.clock.monotonic()
            if now >= self._until:
                self._known = await _look(service, self._known)
                self._until = now + LOOK_SECONDS
            return self._known


@router.get("/events")
async def events(request: Request, service: ServiceDep) -> Response:
    """Send the names of what changed, as server-sent events."""
    with ExitStack() as held:
        changes: Changes = request.app.state.changes
        held.enter_context(changes.pages.place())
        return HeldStream(news(service, changes), held.pop_all())


class HeldStream(StreamingResponse):
    """A stream that gives its place back when it is over."""

    def __init__(self, lines: AsyncIterator[bytes], held: ExitStack) -> None:
        headers = {**HEADERS, "X-Accel-Buffering": "no"}
        super().__init__(lines, media_type="text/event-stream", headers=headers)
        self._held = held

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the events until the browser goes away."""
        with self._held:
            await super().__call__(scope, receive, send)


async def news(service: Service, changes: Changes) -> AsyncIterator[bytes]:
    """Return what changes, as events, for a while."""
    clock = service.clock
    known = await changes.marks(service)
    until, beat = clock.monotonic() + LONGEST_SECONDS, clock.monotonic()
    yield b"retry: 3000\n: open\n\n"
    while clock.monotonic() < until and not service.turns.draining:
        await asyncio.sleep(LOOK_SECONDS)
        found = await changes.marks(service)
        changed = sorted(topic for topic in found if found[topic] != known.get(topic))
        known = found
        if changed:
            beat = clock.monotonic()
            yield f"event: changed\ndata: {json.dumps(changed)}\n\n".encode()
        elif clock.monotonic() - beat > BEAT_SECONDS:
            beat = clock.monotonic()
            yield b": nothing new\n\n"


async def _look(service: Service, known: Marks) -> Marks:
    states = service.spawner.states()
    agents = {
        "agents": (
            tuple((name, state.connected) for name, state in sorted(states.items())),
            tuple(sorted(service.engine.live_counts().items())),
        )
    }
    try:
        async with service.database.read() as connection:
            return {**await connection.run_sync(change_marks), **agents}
    except DatabaseFailed:
        return {**known, **agents}
