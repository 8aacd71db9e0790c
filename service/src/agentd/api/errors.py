# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""The one shape of every refusal, and which error has which status."""

from __future__ import annotations

import json
import re
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from agentd.api.bodies import ErrorBody
from agentd.errors import (
    AgentdError,
    AgentLost,
    AgentUnavailable,
    AgentUnknown,
    BranchFixed,
    CallRefused,
    CallTimedOut,
    ConversationBusy,
    ConversationUnknown,
    CredentialsRefused,
    CredentialsUnused,
    DatabaseFailed,
    DefinitionBuiltIn,
    DefinitionExists,
    DefinitionFixed,
    DefinitionsFailed,
    DefinitionUnknown,
    Draining,
    EngineBusy,
    GatewayUnavailable,
    QueueFull,
    QueueUnavailable,
    SweepBusy,
    TaskBusy,
    TaskInvalid,
    TaskUnknown,
    TooManyReaders,
    TurnHandedOver,
    UploadRefused,
    UploadTooLarge,
    UsageExceeded,
    WebhookRefused,
    WebhookUnknown,
    WebhookUnreadable,
    WorkdirBusy,
    WorkdirFailed,
    WorkRefused,
)
from agentd.log import get_log

RETRY_AFTER_SECONDS = 5
MAX_QUOTED = 200
MAX_PROBLEMS = 20
INVALID = "The request is not valid: see problems."
# What the framework says of a body that it cannot decode.
UNREADABLE = "There was an error parsing the body"
NO_JSON = "The body is no JSON that could be read. Send one JSON object in UTF-8."
STATUS: dict[type[AgentdError], int] = {
    ConversationUnknown: 404,
    AgentUnknown: 404,
    TaskUnknown: 404,
    TaskInvalid: 400,
    TaskBusy: 409,
    QueueFull: 503,
    QueueUnavailable: 503,
    TooManyReaders: 503,
    ConversationBusy: 409,
    SweepBusy: 409,
    DefinitionFixed: 409,
    DefinitionExists: 409,
    DefinitionBuiltIn: 403,
    DefinitionUnknown: 404,
    DefinitionsFailed: 503,
    UploadRefused: 400,
    UploadTooLarge: 413,
    UsageExceeded: 507,
    WebhookRefused: 401,
    WebhookUnknown: 404,
    WebhookUnreadable: 400,
    Draining: 503,
    AgentUnavailable: 503,
    AgentLost: 503,
    CallTimedOut: 503,
    CallRefused: 503,
    EngineBusy: 503,
    TurnHandedOver: 503,
    DatabaseFailed: 503,
    CredentialsRefused: 400,
    CredentialsUnused: 409,
    GatewayUnavailable: 503,
    WorkRefused: 400,
    BranchFixed: 409,
    WorkdirBusy: 409,
    WorkdirFailed: 503,
}

log = get_log("api")


def refusals(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return the answers of an end point that refuses, for its documentation."""
    return {
        status: {"model": ErrorBody, "description": HTTPStatus(status).phrase}
        for status in statuses
    }


def status_of(error: AgentdError) -> int:
    """Return the status of the nearest kind of error that has one, else 500."""
    for kind in type(error).__mro__:
        if kind in STATUS:
            return STATUS[kind]
    return 500


def add_error_handlers(app: FastAPI) -> None:
    """Give every refusal and failure the one shape."""
    app.add_exception_handler(AgentdError, _ours)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Exception, _unexpected)


def refusal(
    request: Request,
    status: int,
    error: str,
    problems: list[dict[str, Any]] | None = None,
    **more: str,
) -> Response:
    """Return a refusal with the request's id, and when to come again at 503."""
    request_id = getattr(request.state, "request_id", None)
    body = ErrorBody(error=error, request_id=request_id, problems=problems, **more)
    headers = {"Retry-After": str(RETRY_AFTER_SECONDS)} if status == 503 else None
    # What callers sent is quoted, and may hold half of a pair of surrogates.
    content = json.dumps(body.model_dump(exclude_none=True)).encode("ascii")
    return Response(content, status, headers, media_type="application/json")


async def _ours(request: Request, error: Exception) -> Response:
    assert isinstance(error, AgentdError)
    status = status_of(error)
    if status >= 500:
        log.warning("request_failed", status=status, error=str(error))
    if isinstance(error, ConversationBusy) and error.conversation_id is not None:
        return refusal(
            request, status, str(error), conversation_id=error.conversation_id
        )
    return refusal(request, status, str(error))


async def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    problems = [
        {
            "where": [str(part) for part in item["loc"]],
            "problem": item["msg"].removeprefix("Value error, "),
        }
        for item in error.errors()[:MAX_PROBLEMS]
    ]
    return refusal(request, 400, INVALID, problems)


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    response = refusal(request, error.status_code, _words_of(error, request))
    response.headers.update(error.headers or {})
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        response.headers["Allow"] = ", ".join(_methods_of(request))
    return response


def _methods_of(request: Request) -> list[str]:
    """Return what the path takes; several routes may share it."""
    for path, operations in request.app.openapi()["paths"].items():
        if re.fullmatch(re.sub(r"{\w+}", "[^/]+", path), request.url.path):
            return sorted(method.upper() for method in operations)
    return ["GET"]


def _words_of(error: HTTPException, request: Request) -> str:
    if error.detail == UNREADABLE:
        return NO_JSON
    if error.detail != HTTPStatus(error.status_code).phrase:
        return str(error.detail)
    path = request.url.path[:MAX_QUOTED]
    if error.status_code == HTTPStatus.NOT_FOUND:
        return f'Not Found: "{path}" is no path here. GET /openapi.json lists them.'
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        allowed = " or ".join(_methods_of(request))
        return f'Method Not Allowed: "{path}" takes {allowed}, not {request.method}.'
    return str(error.detail)


async def _unexpected(request: Request, error: Exception) -> Response:
    log.error("request_broke", exc_info=error)
    return refusal(request, 500, "The service failed. Look into the log of control.")
