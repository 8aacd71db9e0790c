# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""A server of the Messages API for demos and tests; it says that it is no model."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from agentd.offline_model.directives import Reply, decide
from agentd.offline_model.stream import count_tokens, event, events, message

HANG_SECONDS = 3600.0
PING_SECONDS = 0.5
MODEL_DEFAULT = "offline-model"
ERROR_TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    529: "overloaded_error",
}


def create_app() -> Starlette:
    """Return the offline model."""
    return Starlette(
        routes=[
            Route("/v1/messages", _messages, methods=["POST"]),
            Route("/v1/messages/count_tokens", _count_tokens, methods=["POST"]),
        ]
    )


async def _messages(request: Request) -> Response:
    try:
        body = _parse(await request.body())
    except ValueError as error:
        return _error(400, str(error))
    messages = body["messages"]
    assert isinstance(messages, list)
    reply = decide(messages)
    if reply.fail_status is not None:
        return _error(reply.fail_status, "the user's text asked for this failure")
    whole = message(str(body.get("model", MODEL_DEFAULT)), reply, count_tokens(body))
    if body.get("stream") is True:
        return StreamingResponse(
            _stream(whole, reply), media_type="text/event-stream; charset=utf-8"
        )
    await asyncio.sleep(HANG_SECONDS if reply.hang else reply.slow_seconds)
    return JSONResponse(whole)


async def _stream(whole: Mapping[str, object], reply: Reply) -> AsyncIterator[bytes]:
    pieces = list(events(whole))
    yield pieces[0]
    remaining = HANG_SECONDS if reply.hang else reply.slow_seconds
    while remaining > 0:
        await asyncio.sleep(min(PING_SECONDS, remaining))
        remaining -= PING_SECONDS
        if not reply.hang:
            yield event("ping")
    for piece in pieces[1:]:
        yield piece


async def _count_tokens(request: Request) -> Response:
    try:
        body = _parse(await request.body())
    except ValueError as error:
        return _error(400, str(error))
    return JSONResponse({"input_tokens": count_tokens(body)})


def _parse(content: bytes) -> dict[str, object]:
    try:
        body = json.loads(content)
    except RecursionError as error:
        raise ValueError("the body is nested too deeply") from error
    if not isinstance(body, dict) or not isinstance(body.get("messages"), list):
        raise ValueError("the body is no object with a list of messages")
    return body


def _error(status: int, reason: str) -> JSONResponse:
    kind = ERROR_TYPES.get(status, "api_error")
    text = f"The offline model answers {status}: {reason}."
    return JSONResponse(
        {"type": "error", "error": {"type": kind, "message": text}}, status_code=status
    )
