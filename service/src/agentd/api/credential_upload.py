# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""An upload of credentials, read from JSON or from a form, and checked."""

from __future__ import annotations

import json
from dataclasses import dataclass

from starlette.datastructures import UploadFile
from starlette.requests import Request

from agentd.credentials.credential import (
    MAX_BYTES,
    Credential,
    parse_credential,
    read_credential,
)
from agentd.errors import CredentialsRefused

MAX_AGENT = 256


@dataclass(frozen=True)
class Upload:
    """A checked credential, and for which agent it is; None is the gateway."""

    credential: Credential
    agent: str | None


async def read_upload(request: Request, now: float) -> Upload:
    """Return what was uploaded; raise CredentialsRefused."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "multipart/form-data":
        return await _form(request, now)
    content = await request.body()
    if len(content) > MAX_BYTES:
        raise _refused(f"the body is larger than {MAX_BYTES} bytes. Send less")
    try:
        value = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise _refused("the body is no JSON that could be read") from error
    if not isinstance(value, dict):
        return Upload(parse_credential(value, now), None)
    agent = _agent(value.pop("agent", None))
    return Upload(parse_credential(value, now), agent)


async def _form(request: Request, now: float) -> Upload:
    async with request.form(max_files=1, max_fields=2) as form:
        files = [one for one in form.values() if isinstance(one, UploadFile)]
        others = {name for name, one in form.items() if isinstance(one, str)}
        if len(files) != 1 or others - {"agent"}:
            raise _refused("the form holds more or less than one file and an agent")
        if not (files[0].filename or "").lower().endswith(".json"):
            raise _refused("the file's name does not end in .json")
        content = await files[0].read(MAX_BYTES + 1)
        agent = form.get("agent")
    return Upload(read_credential(content, now), _agent(agent))


def _agent(value: object) -> str | None:
    if value is None or (isinstance(value, str) and 0 < len(value) <= MAX_AGENT):
        return value
    raise _refused("agent is no name of an agent")


def _refused(why: str) -> CredentialsRefused:
    return CredentialsRefused(f"Cannot take the upload: {why}.")
