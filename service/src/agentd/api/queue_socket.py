# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""What a task says, over a WebSocket: the same events, each as one JSON text."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from contextlib import AsyncExitStack, suppress
from typing import Any

from fastapi import APIRouter, Request, WebSocket, WebSocketDisconnect
from starlette.responses import Response

from agentd.api.errors import refusal, refusals, status_of
from agentd.api.following import Events, as_text, broken, follow
from agentd.api.queue import Id
from agentd.api.queue_output import AFTER, After
from agentd.api.socket_edge import protocol_of, refuse_socket
from agentd.api.state import Service, ServiceDep
from agentd.errors import AgentdError, QueueUnavailable
from agentd.output.pieces import END
from agentd.output.places import PLACE
from agentd.output.protocol import OutputEvent

MAX_MESSAGES = 1000
NORMAL, TOO_MUCH, RESTARTS, TRY_LATER = 1000, 1008, 1012, 1013
HANDSHAKE = (
    "This path speaks WebSocket, version 13. Open it as ws:// or wss://, or read "
    "GET /queue/{id}/output."
)

router = APIRouter(tags=["queue"])


@router.get(
    "/queue/{queued_id}/socket",
    status_code=101,
    response_class=Response,
    response_description="The handshake of a WebSocket is taken.",
    responses=refusals(400, 401, 403, 404, 426, 503),
)
async def demand_handshake(
    queued_id: Id, request: Request, service: ServiceDep, after: After = None
) -> Response:
    """Tell the same events over a WebSocket, each as one JSON text.

    Browsers send the token as a second subprotocol beside `agentkeep.events`:
    `agentkeep.bearer.` and the token.
    """
    await service.queue.task(queued_id)
    answer = refusal(request, 426, HANDSHAKE)
    answer.headers["Upgrade"] = "websocket"
    return answer


@router.websocket("/queue/{queued_id}/socket")
async def open_socket(websocket: WebSocket, queued_id: str) -> None:
    """Tell a task's events until its end, or until the reader goes away."""
    service: Service = websocket.app.state.service
    after = websocket.query_params.get("after")
    async with AsyncExitStack() as held:
        try:
            if after is not None and not PLACE.fullmatch(after):
                raise AfterInvalid(f"after: String should match pattern '{AFTER}'")
            held.enter_context(service.joined.place())
            task = await service.queue.task(queued_id)
            events = follow(service, task, after)
            held.push_async_callback(events.aclose)
            first = await anext(events, None)
        except AgentdError as error:
            status = 400 if isinstance(error, AfterInvalid) else status_of(error)
            body = {"error": str(error), "request_id": websocket.state.request_id}
            await refuse_socket(websocket.send, status, body)
            return
        await websocket.accept(protocol_of(websocket.scope))
        code = await _until_either(_tell(websocket, first, events), _hear(websocket))
        if code is not None:
            with suppress(WebSocketDisconnect):
                await websocket.close(code)


class AfterInvalid(AgentdError):
    """What is named as the last event is the id of none."""


async def _until_either(*works: Coroutine[Any, Any, int | None]) -> int | None:
    """Run until one of them ends; return with which code to close, if any."""
    async with asyncio.TaskGroup() as tasks:
        running = [tasks.create_task(work) for work in works]
        await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
        for one in running:
            one.cancel()
    return next((one.result() for one in running if not one.cancelled()), None)


async def _tell(
    websocket: WebSocket, first: OutputEvent | None, events: Events
) -> int | None:
    event = first
    try:
        if event is not None:
            await websocket.send_text(as_text(event))
        async for event in events:
            if event is not None:
                await websocket.send_text(as_text(event))
    except QueueUnavailable as error:
        with suppress(WebSocketDisconnect):
            await websocket.send_text(as_text(broken(error)))
        return TRY_LATER
    except WebSocketDisconnect:
        return None
    # Without an end the service stops: whoever comes back joins behind the last event.
    return NORMAL if event is not None and event.event == END else RESTARTS


async def _hear(websocket: WebSocket) -> int | None:
    """Wait until the reader goes away; what it says is not heard, up to a number."""
    for _message in range(MAX_MESSAGES):
        message = await websocket.receive()
        if message["type"] == "websocket.disconnect":
            return None
    return TOO_MUCH
