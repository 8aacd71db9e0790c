# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Webhooks of forges and trackers: taken by their signature, and listed."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from agentd.api.errors import refusals
from agentd.api.state import ServiceDep
from agentd.api.times import iso
from agentd.api.webhook_bodies import (
    ReceiptBody,
    ReceivedBody,
    ReceivedListBody,
)
from agentd.api.webhook_examples import SIGNED
from agentd.webhooks.signature import signs
from agentd.webhooks.values import SOURCES, Delivery, Received, Source

ACCEPTED = 202
TAKE = {200: {"model": ReceiptBody}, **refusals(400, 401, 404, 413, 503)}

router = APIRouter(tags=["webhooks"])

OneSource = Annotated[
    Source | None, Query(description="Only those of forgejo, github or jira.")
]
Limit = Annotated[int, Query(ge=1, le=1000, description="How many at most.")]
Offset = Annotated[
    int, Query(ge=0, le=2**31, description="How many to leave out first.")
]


def _described(source: Source) -> dict[str, Any]:
    """Return what OpenAPI tells of a sender's webhook."""
    header = {
        "name": "-".join(part.capitalize() for part in signs(source).split("-")),
        "in": "header",
        "required": True,
        "description": "HMAC with SHA-256 of the body, as the sender documents it.",
        "schema": {"type": "string"},
    }
    body = {"schema": {"type": "object"}, "example": SIGNED[source]}
    return {
        "parameters": [header],
        "requestBody": {"required": True, "content": {"application/json": body}},
    }


def _take(source: Source) -> None:
    @router.post(
        f"/webhooks/{source}",
        name=f"take_{source}",
        status_code=ACCEPTED,
        responses=TAKE,
        openapi_extra=_described(source),
    )
    async def take(
        request: Request, response: Response, service: ServiceDep
    ) -> ReceiptBody:
        """Take a webhook; 202 if it gives work, 200 if it is known or ignored."""
        body = await request.body()
        delivery = Delivery(source, dict(request.headers), body)
        receipt = await service.webhooks.receive(delivery)
        received = receipt.received
        if receipt.repeated or received.outcome == "ignored":
            response.status_code = 200
        return ReceiptBody(
            outcome=received.outcome,
            repeated=receipt.repeated,
            task_id=received.task_id,
            detail=received.detail,
        )


for _source in SOURCES:
    _take(_source)


@router.get("/webhooks", responses=refusals(400, 401, 503))
async def list_received(
    service: ServiceDep,
    source: OneSource = None,
    limit: Limit = 100,
    offset: Offset = 0,
) -> ReceivedListBody:
    """Return the webhooks that were received and signed, the newest first."""
    found = await service.webhooks.received(source, limit + 1, offset)
    shown = [_body(one) for one in found[:limit]]
    return ReceivedListBody(webhooks=shown, more=len(found) > limit)


def _body(one: Received) -> ReceivedBody:
    return ReceivedBody(
        number=one.number,
        source=one.source,
        delivery=one.delivery,
        event=one.event,
        action=one.action,
        repository=one.repository,
        issue=one.issue,
        branch=one.branch,
        received_at=iso(one.received_at),
        outcome=one.outcome,
        detail=one.detail,
        task_id=one.task_id,
    )
