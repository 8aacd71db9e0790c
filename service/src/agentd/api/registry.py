# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Definitions and skills: uploaded, listed, read, changed and removed."""

from __future__ import annotations

import asyncio
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Request
from starlette.responses import Response

from agentd.api.errors import refusals
from agentd.api.registry_bodies import (
    ChangedBody,
    ContentBody,
    DefinitionsAnswer,
    DetailBody,
    PutContentBody,
    SkillsListAnswer,
    content_body,
    detail_body,
    detail_of,
    entry_body,
)
from agentd.api.registry_reloads import Told, told_of_change
from agentd.api.state import ServiceDep
from agentd.api.uploads import decoded, read_upload, upload_schema
from agentd.definitions.check import warnings_of
from agentd.definitions.values import (
    AGENTS,
    SKILLS,
    Content,
    Entry,
    Kind,
    UploadLimits,
)
from agentd.errors import UploadRefused
from agentd.settings import ControlSettings

OF_SKILLS = "/api/registry/skills"
READ = refusals(400, 401, 403, 404, 413, 503)
CHANGE = refusals(400, 401, 403, 404, 409, 413, 503)

router = APIRouter(tags=["registry"])


def kind_of(request: Request) -> Kind:
    """Return of which kind a request speaks, by its path."""
    return SKILLS if request.url.path.startswith(OF_SKILLS) else AGENTS


KindDep = Annotated[Kind, Depends(kind_of)]
Name = Annotated[str, Path(max_length=200, description="Its name.")]
FilePath = Annotated[
    str | None,
    Query(
        alias="path",
        max_length=4096,
        description="The file below its directory; CLAUDE.md or SKILL.md without.",
    ),
]
Reload = Annotated[
    bool, Query(description="Whether the agents sync their skills anew at once.")
]


@router.post(
    "/api/agents/upload",
    status_code=201,
    responses=CHANGE,
    openapi_extra=upload_schema(named=True),
)
@router.post(
    "/api/registry/agents/upload",
    status_code=201,
    responses=CHANGE,
    openapi_extra=upload_schema(named=True),
)
@router.post(
    "/api/registry/skills/upload",
    status_code=201,
    responses=CHANGE,
    openapi_extra=upload_schema(named=True),
)
async def upload(
    request: Request, kind: KindDep, service: ServiceDep, reload: Reload = True
) -> ChangedBody:
    """Put a new one in place, whole or not at all; an existing one is refused."""
    sent = await read_upload(request, limits_of(service.settings))
    if sent.name is None:
        raise UploadRefused(
            f"The upload does not name its {kind.word}. Send the field name."
        )
    store = service.registry.of(kind)
    entry = await asyncio.to_thread(store.add, sent.name, sent.files)
    told = await told_of_change(service, kind, entry.name, reload)
    return changed_body(entry, warnings_of(kind, sent.files), told)


@router.get("/api/registry/agents", responses=refusals(401, 503))
async def list_definitions(service: ServiceDep) -> DefinitionsAnswer:
    """Return the definitions, as a conversation would find them."""
    found = await asyncio.to_thread(service.registry.agents.list)
    return DefinitionsAnswer(agents=[entry_body(one) for one in found])


@router.get("/api/registry/skills", responses=refusals(401, 503))
async def list_skills(service: ServiceDep) -> SkillsListAnswer:
    """Return the uploaded skills and those of the image."""
    found = await asyncio.to_thread(service.registry.skills.list)
    return SkillsListAnswer(skills=[entry_body(one) for one in found])


@router.get("/api/registry/agents/{name}", responses=READ)
@router.get("/api/registry/skills/{name}", responses=READ)
async def get_one(name: Name, kind: KindDep, service: ServiceDep) -> DetailBody:
    """Return one with the files that it has."""
    store = service.registry.of(kind)
    return detail_body(await asyncio.to_thread(store.find, name))


@router.put(
    "/api/registry/agents/{name}",
    responses=READ,
    openapi_extra=upload_schema(named=False),
)
@router.put(
    "/api/registry/skills/{name}",
    responses=READ,
    openapi_extra=upload_schema(named=False),
)
async def replace(
    request: Request,
    name: Name,
    kind: KindDep,
    service: ServiceDep,
    reload: Reload = True,
) -> ChangedBody:
    """Put other files in the place of an uploaded one, all at one instant."""
    sent = await read_upload(request, limits_of(service.settings))
    if sent.name is not None and sent.name != name:
        raise UploadRefused(
            f'The upload names "{sent.name[:100]}", and its address "{name}". '
            "Leave the name out."
        )
    store = service.registry.of(kind)
    entry = await asyncio.to_thread(store.replace, name, sent.files)
    told = await told_of_change(service, kind, name, reload)
    return changed_body(entry, warnings_of(kind, sent.files), told)


@router.delete(
    "/api/registry/agents/{name}",
    status_code=204,
    response_class=Response,
    responses=READ,
)
@router.delete(
    "/api/registry/skills/{name}",
    status_code=204,
    response_class=Response,
    responses=READ,
)
async def remove(
    name: Name, kind: KindDep, service: ServiceDep, reload: Reload = True
) -> Response:
    """Remove an uploaded one; what came with the image stays."""
    await asyncio.to_thread(service.registry.of(kind).remove, name)
    await told_of_change(service, kind, name, reload)
    return Response(status_code=204)


@router.get("/api/registry/agents/{name}/content", responses=READ)
@router.get("/api/registry/skills/{name}/content", responses=READ)
async def get_content(
    name: Name, kind: KindDep, service: ServiceDep, file_path: FilePath = None
) -> ContentBody:
    """Return what one file holds."""
    store = service.registry.of(kind)
    tier, path, content = await asyncio.to_thread(store.content, name, file_path)
    return content_body(name, tier, path, content)


@router.put("/api/registry/agents/{name}/content", responses=READ)
@router.put("/api/registry/skills/{name}/content", responses=READ)
async def put_content(
    name: Name,
    kind: KindDep,
    service: ServiceDep,
    body: PutContentBody,
    file_path: FilePath = None,
) -> ChangedBody:
    """Put one file into an uploaded one; the others stay as they are."""
    store = service.registry.of(kind)
    content = content_of(body, file_path or kind.main_file)
    entry = await asyncio.to_thread(store.replace_file, name, file_path, content)
    return changed_body(entry, [], await told_of_change(service, kind, name))


def changed_body(entry: Entry, warnings: list[str], told: Told) -> ChangedBody:
    """Return what is told after a change."""
    return ChangedBody(
        **detail_of(entry),
        warnings=[*warnings, *told.warnings],
        reloaded=told.reloaded,
    )


def content_of(body: PutContentBody, path: str) -> Content:
    """Return what a file is to hold; raise UploadRefused."""
    if body.content is not None:
        return Content(body.content.encode("utf-8"), body.executable)
    return Content(decoded(path, body.base64 or ""), body.executable)


def limits_of(settings: ControlSettings) -> UploadLimits:
    """Return how much an upload may hold."""
    return UploadLimits(settings.upload_max_bytes, settings.upload_max_files)
