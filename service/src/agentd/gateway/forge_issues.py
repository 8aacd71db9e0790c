# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""Whether an issue or pull request is open, asked of its forge's API."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, cast

import httpx

from agentd.gateway.forge_access import ForgeAccess
from agentd.gateway.git_rules import matches
from agentd.gateway.headers import Header
from agentd.gateway.refusal import Refused
from agentd.workdirs.names import PART

State = Literal["open", "closed", "missing"]

KIND = "forge"
SECONDS = 30.0
# An issue with a long text and a hundred labels is a tenth of this.
MAX_ANSWER_BYTES = 2 * 1024 * 1024
# GitHub tells of an issue that somebody deleted with 410.
MISSING = frozenset({404, 410})

_REPOSITORY = re.compile(rf"{PART}/{PART}")
_NUMBER = re.compile(r"[1-9][0-9]{0,11}")
_KEY = re.compile(r"[A-Z][A-Z0-9_]{1,63}-[1-9][0-9]{0,11}")
_ACCEPT = {"github": b"application/vnd.github+json"}


@dataclass(frozen=True)
class IssueQuestion:
    """Which issue of which forge is meant; its words are safe in a path."""

    forge: str
    repository: str
    issue: str


def parse_question(forge: ForgeAccess, repository: str, issue: str) -> IssueQuestion:
    """Return the question; raise Refused if no such issue can be."""
    kind = forge.settings.kind
    if (_KEY if kind == "jira" else _NUMBER).fullmatch(issue) is None:
        form = "a key such as SHOP-7" if kind == "jira" else "a number"
        reason = f'"{issue[:64]}" is no issue of forge "{forge.name}": write {form}.'
        raise Refused(400, KIND, reason)
    if kind == "jira":
        return IssueQuestion(forge.name, "", issue)
    if _REPOSITORY.fullmatch(repository) is None:
        reason = f'"{repository[:256]}" is no repository: write owner/name.'
        raise Refused(400, KIND, reason)
    if not matches(repository, forge.settings.repositories):
        raise Refused(
            403,
            KIND,
            f'Nothing is asked about "{repository}". Add it to repositories of the '
            f'forge "{forge.name}".',
        )
    return IssueQuestion(forge.name, repository, issue)


async def state_of(forge: ForgeAccess, question: IssueQuestion) -> State:
    """Return the issue's state; raise Refused if the forge does not tell it."""
    try:
        async with asyncio.timeout(SECONDS):
            status, value = await _ask(forge, _path(forge, question))
    except TimeoutError as error:
        reason = f"{forge.api_url} did not answer in {SECONDS:g} s."
        raise Refused(504, KIND, reason) from error
    except httpx.HTTPError as error:
        raise Refused(502, KIND, forge.note_unreached(error)) from error
    if status in MISSING:
        return "missing"
    if status != 200:
        raise _not_told(forge, status)
    found = _state_in(forge.settings.kind, value)
    if found is None:
        reason = f"{forge.api_url} does not answer as the API of {forge.settings.kind}."
        raise Refused(502, KIND, f"{reason} Correct kind and api_url of the forge.")
    return found


def _path(forge: ForgeAccess, question: IssueQuestion) -> str:
    if forge.settings.kind == "jira":
        return f"/issue/{question.issue}?fields=status"
    return f"/repos/{question.repository}/issues/{question.issue}"


async def _ask(forge: ForgeAccess, path: str) -> tuple[int, object]:
    kind = forge.settings.kind
    headers: list[Header] = [
        (b"accept", _ACCEPT.get(kind, b"application/json")),
        (b"accept-encoding", b"identity"),
        # GitHub answers nobody who does not say who it is.
        (b"user-agent", b"agentkeep"),
        *forge.sign_api(),
    ]
    asked = httpx.Request("GET", forge.api_url + path, headers=headers)
    # Below httpx's client: a redirect is not followed, with the token or without.
    response = await forge.transport.handle_async_request(asked)
    stream = cast(httpx.AsyncByteStream, response.stream)
    content = b""
    try:
        forge.note(response.status_code)
        if response.status_code == 200:
            async for piece in stream:
                content += piece
                if len(content) > MAX_ANSWER_BYTES:
                    raise Refused(502, KIND, f"{forge.api_url} answers far too much.")
    finally:
        await stream.aclose()
    return response.status_code, _parsed(content)


def _parsed(content: bytes) -> object:
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        return None


def _state_in(kind: str, value: object) -> State | None:
    """Return the state that an answer tells, in the form of its kind of forge."""
    if kind == "jira":
        for name in ("fields", "status", "statusCategory"):
            value = value.get(name) if isinstance(value, Mapping) else None
        key = value.get("key") if isinstance(value, Mapping) else None
        if not isinstance(key, str):
            return None
        return "closed" if key == "done" else "open"
    state = value.get("state") if isinstance(value, Mapping) else None
    return cast(State, state) if state in ("open", "closed") else None


def _not_told(forge: ForgeAccess, status: int) -> Refused:
    reasons = {
        401: "it refuses the token. Set a good one in token_file of the forge.",
        403: "its token may not ask this, or has asked too often.",
        429: "it was asked too often. Ask again later.",
    }
    moved = "the repository has another name now, or api_url is wrong."
    told = moved if 300 <= status < 400 else f"it answers with status {status}."
    reason = f"{forge.api_url}: {reasons.get(status, told)}"
    return Refused(503 if status == 429 else 502, KIND, reason)
