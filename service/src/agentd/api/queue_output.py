# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""What a task says, while it runs and a while after, as server-sent events."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Annotated

from fastapi import APIRouter, Header, Query
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from agentd.api.errors import refusals
from agentd.api.following import Events, as_event, broken, follow
from agentd.api.queue import Id
from agentd.api.state import ServiceDep
from agentd.errors import QueueUnavailable
from agentd.output.places import PLACE
from agentd.output.protocol import OutputEvent

KEEP_ALIVE_SECONDS = 15.0
KEEP_ALIVE = b": the task goes on\n\n"
AFTER = rf"^{PLACE.pattern}$"

router = APIRouter(tags=["queue"])

After = Annotated[
    str | None,
    Query(pattern=AFTER, description="The id of the last event that is known."),
]
LastEventId = Annotated[
    str | None,
    Header(
        alias="Last-Event-ID",
        pattern=AFTER,
        description="The same, as readers that come back send it; it goes before.",
    ),
]


@router.get(
    "/queue/{queued_id}/output",
    response_class=Response,
    responses={
        200: {
            "description": "The events, from the beginning or behind one.",
            "content": {"text/event-stream": {}},
        },
        **refusals(400, 401, 404, 503),
    },
)
async def get_output(
    queued_id: Id,
    service: ServiceDep,
    after: After = None,
    last_event_id: LastEventId = None,
) -> Response:
    """Return what a task says as server-sent events, until its end.

    Who joins late gets all that is kept from the beginning.
    """
    async with AsyncExitStack() as held:
        held.enter_context(service.joined.place())
        task = await service.queue.task(queued_id)
        events = follow(service, task, last_event_id or after)
        held.push_async_callback(events.aclose)
        first = await anext(events, None)
        return JoinedResponse(_lines(first, events), held.pop_all())


class JoinedResponse(StreamingResponse):
    """A stream of events that gives its place back when it is over."""

    def __init__(self, lines: AsyncIterator[bytes], held: AsyncExitStack) -> None:
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        super().__init__(lines, media_type="text/event-stream", headers=headers)
        self._held = held

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the stream."""
        async with self._held:
            await super().__call__(scope, receive, send)


async def _lines(first: OutputEvent | None, events: Events) -> AsyncIterator[bytes]:
    # At once, so that whoever joins knows that it did.
    yield KEEP_ALIVE if first is None else as_event(first)
    told_at = time.monotonic()
    try:
        async for event in events:
            if event is not None:
                yield as_event(event)
            elif time.monotonic() - told_at >= KEEP_ALIVE_SECONDS:
                yield KEEP_ALIVE
            else:
                continue
            told_at = time.monotonic()
    except QueueUnavailable as error:
        yield as_event(broken(error))
