# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""The settings of webhooks, by forge or tracker; no secret in them is told again."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Path
from starlette.responses import Response

from agentd.api.errors import refusals
from agentd.api.registry_bodies import WebhookBody, WebhooksAnswer
from agentd.api.state import ServiceDep

READ = refusals(400, 401, 404, 503)
CHANGE = refusals(400, 401, 404, 413, 503)

router = APIRouter(tags=["registry"])

Name = Annotated[str, Path(max_length=200, description="github, jira or forgejo.")]


@router.get("/api/registry/webhooks", responses=refusals(401, 503))
async def list_all(service: ServiceDep) -> WebhooksAnswer:
    """Return which settings are there."""
    return WebhooksAnswer(
        webhooks=await asyncio.to_thread(service.registry.webhooks.list)
    )


@router.get("/api/registry/webhooks/{name}", responses=READ)
async def get_one(name: Name, service: ServiceDep) -> WebhookBody:
    """Return the settings, secrets masked."""
    found = await asyncio.to_thread(service.registry.webhooks.get, name)
    return WebhookBody(name=name, settings=found)


@router.put("/api/registry/webhooks/{name}", responses=CHANGE)
async def put_one(
    name: Name, settings: dict[str, Any], service: ServiceDep
) -> WebhookBody:
    """Store the settings; a mask that was told keeps the secret that is there."""
    stored = await asyncio.to_thread(service.registry.webhooks.put, name, settings)
    return WebhookBody(name=name, settings=stored)


@router.delete(
    "/api/registry/webhooks/{name}",
    status_code=204,
    response_class=Response,
    responses=READ,
)
async def remove(name: Name, service: ServiceDep) -> Response:
    """Remove the settings."""
    await asyncio.to_thread(service.registry.webhooks.remove, name)
    return Response(status_code=204)
