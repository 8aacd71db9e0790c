# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Keys and sign-ins: passed on to whoever uses them, and never kept by control."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, cast, get_args

from fastapi import APIRouter, Query, Request

from agentd.api.bodies import Label
from agentd.api.credential_bodies import REQUEST, CredentialsBody
from agentd.api.credential_upload import Upload, read_upload
from agentd.api.errors import refusals
from agentd.api.gateway_credentials import ask_gateway
from agentd.api.idle_clients import close_idle
from agentd.api.state import Service, ServiceDep
from agentd.api.times import iso_or_null
from agentd.errors import CredentialsRefused, CredentialsUnused
from agentd.log import get_log

CALL_SECONDS = 20.0
STATUSES = get_args(CredentialsBody.model_fields["status"].annotation)
NOT_USED = (
    "A key is declared too, and is not used while this one is here. "
    "DELETE /api/credentials forgets this one."
)
NOT_RENEWED = (
    "The gateway renews no sign-in: upload a new one before it expires. Requests with "
    "a sign-in were tried against a model of our own only, not against the real one."
)

router = APIRouter(tags=["credentials"])
log = get_log("credentials")

OneAgent = Annotated[
    Label | None,
    Query(description="An agent with sign_in direct; the gateway without."),
]
TAKEN = refusals(400, 401, 404, 409, 413, 503)


@router.post(
    "/api/credentials", responses=TAKEN, openapi_extra={"requestBody": REQUEST}
)
async def put_credentials(
    service: ServiceDep, request: Request, agent: OneAgent = None
) -> CredentialsBody:
    """Give the gateway a key or a sign-in, or sign an agent's own CLI in.

    It counts from the next request on, before what is declared. What runs goes on.
    """
    upload = await read_upload(request, service.clock.now())
    if None not in (agent, upload.agent) and agent != upload.agent:
        raise CredentialsRefused(
            "Cannot take the upload: it names two agents. Name one, or none."
        )
    return await _put(service, upload, upload.agent if agent is None else agent)


@router.post(
    "/api/credentials/upload", responses=TAKEN, openapi_extra={"requestBody": REQUEST}
)
async def upload_credentials(
    service: ServiceDep, request: Request, agent: OneAgent = None
) -> CredentialsBody:
    """Do the same as POST /api/credentials."""
    return await put_credentials(service, request, agent)


@router.get("/api/credentials/status", responses=refusals(400, 401, 404, 503))
async def credentials_status(
    service: ServiceDep, agent: OneAgent = None
) -> CredentialsBody:
    """Tell how the credentials of the gateway, or of an agent's own CLI, stand."""
    if agent is None:
        return await _of_gateway(service, "GET")
    return await _of_agent(service, agent, "credentials_status")


@router.delete("/api/credentials", responses=refusals(400, 401, 404, 409, 503))
async def remove_credentials(
    service: ServiceDep, agent: OneAgent = None
) -> CredentialsBody:
    """Forget what was uploaded: the gateway uses what is declared again.

    The CLI of an agent is signed out.
    """
    if agent is None:
        body = await _of_gateway(service, "DELETE")
        log.info("credentials_removed", agent=None)
        return body
    body = await _changed(service, agent, "drop_credentials", {})
    # A live CLI may go on with what it has read.
    if busy := await close_idle(service, agent):
        body.notice = f"Turns that run now go on with the sign-in from before: {busy}."
    return body


async def _put(service: Service, upload: Upload, agent: str | None) -> CredentialsBody:
    found = upload.credential
    if agent is None:
        # What only renews a sign-in is nobody's there, and does not travel.
        body = await _of_gateway(service, "PUT", found.bare.document())
        log.info("credentials_taken", agent=None, kind=found.kind)
        return body
    if found.kind == "api_key":
        raise CredentialsRefused(
            f'Cannot sign agent "{agent}" in with a key: its CLI takes a token only. '
            "Leave agent out, so that the gateway has the key."
        )
    given = {"credentials": found.document()}
    return await _changed(service, agent, "put_credentials", given)


async def _changed(
    service: Service, agent: str, call: str, parameters: Mapping[str, object]
) -> CredentialsBody:
    """Change the sign-in of an agent's CLI; a live one takes the new one as well."""
    before = await _of_agent(service, agent, "credentials_status")
    if before.status == "not_used":
        raise CredentialsUnused(
            f'Cannot change the sign-in of agent "{agent}": it has none, the gateway '
            "adds the key. Leave agent out, or set sign_in of the agent to direct."
        )
    body = await _of_agent(service, agent, call, parameters)
    log.info("credentials_changed", agent=agent, call=call)
    return body


async def _of_gateway(
    service: Service, method: str, document: Mapping[str, object] | None = None
) -> CredentialsBody:
    socket = service.settings.gateway_status_socket
    return _body(None, await ask_gateway(socket, method, document))


async def _of_agent(
    service: Service,
    agent: str,
    call: str,
    parameters: Mapping[str, object] | None = None,
) -> CredentialsBody:
    name = service.settings.agent(agent).name
    told = await service.spawner.call(
        name, call, parameters or {}, timeout_seconds=CALL_SECONDS
    )
    return _body(name, told)


def _body(agent: str | None, told: Mapping[str, object]) -> CredentialsBody:
    """Return what was told, whatever shape it has: an agent's is not trusted."""
    status, kind, source = (told.get(key) for key in ("status", "kind", "source"))
    of_gateway = {
        NOT_RENEWED: agent is None and kind == "oauth",
        NOT_USED: agent is None and told.get("declared_unused") is True,
    }
    found = {
        "agent": agent,
        "status": status if status in STATUSES else "unknown",
        "source": source if source in ("declared", "uploaded") else None,
        "kind": kind if kind in ("api_key", "oauth") else None,
        "expires_at": iso_or_null(_time(told.get("expires_at"))),
        "notice": " ".join(text for text, yes in of_gateway.items() if yes) or None,
    }
    return CredentialsBody.model_validate(found)


def _time(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return cast(float, value) if 0 <= value < 1e12 else None
