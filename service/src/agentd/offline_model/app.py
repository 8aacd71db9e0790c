# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""A server of the Messages API for demos and tests; it says that it is no model."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from agentd.offline_model.directives import Reply, decide
from agentd.offline_model.stream import count_tokens, event, events, message

HANG_SECONDS = 3600.0
PING_SECONDS = 0.5
MODEL_DEFAULT = "offline-model"
MAX_MODEL_CHARACTERS = 128
# It runs in the gateway's process, which serves every agent: what one of them may
# make it hold is bounded.
MAX_BODY_BYTES = 8 * 1024 * 1024
MAX_HELD_BYTES = 6 * MAX_BODY_BYTES
MAX_BODY_PARTS = 500_000
PART_MARKS = (b"{", b"[", b",")
ERROR_TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    529: "overloaded_error",
}


def create_app() -> Starlette:
    """Return the offline model."""
    app = Starlette(
        routes=[
            Route("/v1/messages", _messages, methods=["POST"]),
            Route("/v1/messages/count_tokens", _count_tokens, methods=["POST"]),
        ]
    )
    app.state.held = Held()
    return app


@dataclass
class Held:
    """How much of unfinished bodies is held now, of all who ask."""

    bytes: int = 0


class BodyRefused(ValueError):
    """A body that is no request, with the status that says so."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


async def _messages(request: Request) -> Response:
    try:
        whole, reply, is_stream = await _decided(request)
    except BodyRefused as refused:
        return _error(refused.status, str(refused))
    if reply.fail_status is not None:
        return _error(
            reply.fail_status, "the user's text asked for this failure", reply
        )
    if is_stream:
        return StreamingResponse(
            _stream(whole, reply), media_type="text/event-stream; charset=utf-8"
        )
    await asyncio.sleep(HANG_SECONDS if reply.hang else reply.slow_seconds)
    return JSONResponse(whole)


async def _decided(request: Request) -> tuple[Mapping[str, object], Reply, bool]:
    """Return the answer; what was asked is not held while the answer goes out."""
    body, tokens = await _parse(request)
    messages = body["messages"]
    assert isinstance(messages, list)
    reply = decide(messages)
    model = str(body.get("model", MODEL_DEFAULT))[:MAX_MODEL_CHARACTERS]
    return message(model, reply, tokens), reply, body.get("stream") is True


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
        _body, tokens = await _parse(request)
    except BodyRefused as refused:
        return _error(refused.status, str(refused))
    return JSONResponse({"input_tokens": tokens})


async def _parse(request: Request) -> tuple[dict[str, object], int]:
    """Return the body, and how many tokens it is taken for."""
    content = await _content(request)
    if sum(content.count(mark) for mark in PART_MARKS) > MAX_BODY_PARTS:
        raise BodyRefused(400, f"the body has more than {MAX_BODY_PARTS} parts")
    try:
        body = json.loads(content)
        tokens = count_tokens(body) if isinstance(body, dict) else 0
    except RecursionError as error:
        raise BodyRefused(400, "the body is nested too deeply") from error
    except ValueError as error:
        raise BodyRefused(400, str(error)) from error
    if not isinstance(body, dict) or not isinstance(body.get("messages"), list):
        raise BodyRefused(400, "the body is no object with a list of messages")
    return body, tokens


async def _content(request: Request) -> bytes:
    content = bytearray()
    held: Held = request.app.state.held
    try:
        async for piece in request.stream():
            content += piece
            held.bytes += len(piece)
            if len(content) > MAX_BODY_BYTES:
                raise BodyRefused(413, f"the body is over {MAX_BODY_BYTES} bytes")
            if held.bytes > MAX_HELD_BYTES:
                raise BodyRefused(529, "it holds as many bodies as it may")
        return bytes(content)
    finally:
        held.bytes -= len(content)


def _error(status: int, reason: str, reply: Reply | None = None) -> JSONResponse:
    kind = ERROR_TYPES.get(status, "api_error")
    text = f"The offline model answers {status}: {reason}."
    wait = reply.retry_after if reply is not None else None
    return JSONResponse(
        {"type": "error", "error": {"type": kind, "message": text}},
        status_code=status,
        headers={} if wait is None else {"retry-after": str(wait)},
    )
