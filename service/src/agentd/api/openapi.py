# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""The OpenAPI document: what is really answered and needed, with examples."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from agentd.api import (
    examples,
    queue_examples,
    record_examples,
    registry_examples,
    task_examples,
)
from agentd.api.open_bodies import is_signed_path

Json = dict[str, Any]

JSON = "application/json"
ERROR = {"$ref": "#/components/schemas/ErrorBody"}
DESCRIPTION = (
    "Conversations with agents whose state outlives their containers. Every request "
    "but GET /health and webhooks needs the bearer token. Every refusal has the shape "
    "of ErrorBody."
)


def describe(app: FastAPI) -> None:
    """Make the app's document tell what is really answered and needed."""

    def described() -> Json:
        if app.openapi_schema is None:
            app.openapi_schema = _document(app)
        return app.openapi_schema

    app.openapi = described  # type: ignore[method-assign]


def _document(app: FastAPI) -> Json:
    schema = get_openapi(
        title=app.title,
        version=app.version,
        description=DESCRIPTION,
        routes=app.routes,
    )
    schema["components"]["securitySchemes"] = {
        "token": {"type": "http", "scheme": "bearer"}
    }
    for path, operations in schema["paths"].items():
        for method, operation in operations.items():
            _complete(operation, method, path)
    for unused in ("HTTPValidationError", "ValidationError"):
        schema["components"]["schemas"].pop(unused, None)
    return schema


def _complete(operation: Json, method: str, path: str) -> None:
    answers = operation["responses"]
    # Invalid requests are refused with 400, in our own shape.
    answers.pop("422", None)
    signed = is_signed_path(path)
    operation["security"] = [] if path == "/health" or signed else [{"token": []}]
    everywhere = [HTTPStatus.INTERNAL_SERVER_ERROR]
    if method in ("post", "put"):
        everywhere.append(HTTPStatus.REQUEST_TIMEOUT)
    if "parameters" in operation or "requestBody" in operation:
        everywhere.append(HTTPStatus.BAD_REQUEST)
    for status in everywhere:
        answers.setdefault(
            str(status.value),
            {"description": status.phrase, "content": {JSON: {"schema": ERROR}}},
        )
    for status_text, answer in answers.items():
        _show(answer, int(status_text), f"{method} {path}")
    given = examples.REQUESTS.get(f"{method} {path}")
    if given is not None:
        operation["requestBody"]["content"][JSON]["example"] = given
    for parameter in operation.get("parameters", []):
        if parameter["name"] == "conversation_id":
            parameter["example"] = examples.CONVERSATION
        if parameter["name"] == "session_id":
            parameter["example"] = examples.SESSION
        if parameter["name"] == "queued_id":
            parameter["example"] = queue_examples.QUEUED
        if parameter["name"] == "kind":
            parameter["example"] = record_examples.KIND
        if parameter["name"] == "task_id":
            parameter["example"] = task_examples.TASK
        if parameter["name"] == "name":
            parameter["example"] = registry_examples.name_in(path)


def _show(answer: Json, status: int, operation: str) -> None:
    content = answer.get("content", {})
    if JSON in content:
        body = content[JSON]
        if body.get("schema") == ERROR:
            refused = examples.REFUSED[status]
            body["example"] = {**refused, "request_id": examples.REQUEST_ID}
        else:
            body["example"] = examples.ANSWERS[operation]
    if "text/event-stream" in content:
        content["text/event-stream"] = {
            # What an event's data is differs by its name: docs/http-api.md.
            "schema": {"title": "Server-sent events"},
            "example": queue_examples.EVENTS.get(operation, examples.EVENTS),
        }
    if "text/plain" in content:
        content["text/plain"] = {
            "schema": {"type": "string"},
            "example": examples.FIGURES,
        }
