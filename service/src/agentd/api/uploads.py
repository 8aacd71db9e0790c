# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Uploads as they come: a form with files, or JSON that holds them."""

from __future__ import annotations

import asyncio
import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from fastapi import Request
from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException

from agentd.definitions.values import Content, UploadLimits
from agentd.errors import UploadRefused, UploadTooLarge

FORM = "multipart/form-data"
JSON = "application/json"
MAX_FIELDS = 16
MAX_FIELD_BYTES = 64 * 1024
MAX_QUOTED = 100
NO_JSON = (
    "The body is no JSON that could be read. Send one JSON object in UTF-8, or a form "
    "as multipart/form-data."
)
SHAPE = (
    'The upload is not {"name": …, "files": {path: text or {"base64": …, '
    '"executable": …}}}: %s.'
)
_FILE: dict[str, Any] = {
    "anyOf": [
        {"type": "string"},
        {
            "type": "object",
            "required": ["base64"],
            "additionalProperties": False,
            "properties": {
                "base64": {"type": "string", "contentEncoding": "base64"},
                "executable": {"type": "boolean"},
            },
        },
    ]
}
_FILES: dict[str, Any] = {"type": "object", "additionalProperties": _FILE}


@dataclass(frozen=True)
class Upload:
    """A name, if one was sent, and the files by their paths."""

    name: str | None
    files: Mapping[str, Content] = field(repr=False)


def upload_schema(*, named: bool) -> dict[str, Any]:
    """Return the description of an upload, with or without a name, for OpenAPI."""
    required = ["name", "files"] if named else ["files"]
    name = {"name": {"type": "string"}} if named else {}
    part = {"type": "string", "format": "binary"}
    json_schema = {
        "type": "object",
        "required": required,
        "additionalProperties": False,
        "properties": {**name, "files": _FILES},
    }
    form_schema = {
        "type": "object",
        "required": required,
        "properties": {**name, "files": {"type": "array", "items": part}},
    }
    form_example = {"files": ["CLAUDE.md"], **({"name": "reviewer"} if named else {})}
    return {
        "requestBody": {
            "required": True,
            "content": {
                JSON: {"schema": json_schema},
                FORM: {"schema": form_schema, "example": form_example},
            },
        }
    }


async def read_upload(request: Request, limits: UploadLimits) -> Upload:
    """Return what a request uploads; raise UploadRefused or UploadTooLarge."""
    kind = request.headers.get("content-type", JSON).partition(";")[0].strip().lower()
    if kind == FORM:
        return await _from_form(request, limits)
    if kind != JSON:
        raise UploadRefused(
            f'Cannot read an upload of the type "{kind[:MAX_QUOTED]}". '
            f"Send {FORM} or {JSON}."
        )
    # Beside the loop: of millions of small parts, reading takes seconds.
    return await asyncio.to_thread(_from_json, await request.body(), limits)


async def _from_form(request: Request, limits: UploadLimits) -> Upload:
    try:
        async with request.form(
            max_files=limits.files + 1,
            max_fields=MAX_FIELDS,
            max_part_size=MAX_FIELD_BYTES,
        ) as form:
            return await _of_form(form)
    except HTTPException as error:
        if str(error.detail).startswith("Too many files"):
            raise _too_many("form", limits) from error
        raise UploadRefused(
            f"The form cannot be read: {str(error.detail)[:MAX_QUOTED]} "
            "Send multipart/form-data with the fields name and files."
        ) from error


async def _of_form(form: FormData) -> Upload:
    name: str | None = None
    files: dict[str, Content] = {}
    for key, value in form.multi_items():
        if isinstance(value, UploadFile):
            path = value.filename or ""
            _demand_new(path, files)
            files[path] = _program_or_not(await value.read())
        elif key == "name" and name is None:
            name = value
        else:
            raise UploadRefused(
                f'The form has a field "{key[:MAX_QUOTED]}" too many. Send the field '
                "name once, and files with their paths as file names."
            )
    return Upload(name, files)


def _from_json(body: bytes, limits: UploadLimits) -> Upload:
    try:
        value = json.loads(body, object_pairs_hook=_unique)
    except (ValueError, RecursionError) as error:
        raise UploadRefused(NO_JSON) from error
    if not isinstance(value, dict) or set(value) - {"name", "files"}:
        raise UploadRefused(SHAPE % "it has other fields")
    name, given = value.get("name"), value.get("files")
    if name is not None and not isinstance(name, str):
        raise UploadRefused(SHAPE % "its name is no text")
    if not isinstance(given, dict):
        raise UploadRefused(SHAPE % "it has no files")
    if len(given) > limits.files:
        raise _too_many("upload", limits)
    return Upload(name, {path: _content(path, one) for path, one in given.items()})


def _too_many(what: str, limits: UploadLimits) -> UploadTooLarge:
    return UploadTooLarge(
        f"The {what} has more than {limits.files} files. Leave out what is not needed, "
        "or raise upload_max_files."
    )


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    held = dict(pairs)
    if len(held) != len(pairs):
        raise UploadRefused("The upload names a file twice. Send each path once.")
    return held


def _content(path: str, value: object) -> Content:
    what = SHAPE % f"the file {path[:MAX_QUOTED]!r} is neither"
    if isinstance(value, str):
        try:
            return _program_or_not(value.encode("utf-8"))
        except UnicodeEncodeError as error:
            raise UploadRefused(what) from error
    if not isinstance(value, dict) or set(value) - {"base64", "executable"}:
        raise UploadRefused(what)
    text, runs = value.get("base64"), value.get("executable")
    if not isinstance(text, str) or not (runs is None or isinstance(runs, bool)):
        raise UploadRefused(what)
    data = decoded(path, text)
    return _program_or_not(data) if runs is None else Content(data, runs)


def decoded(path: str, text: str) -> bytes:
    """Return the bytes of a base64 text; raise UploadRefused."""
    try:
        return base64.b64decode(text, validate=True)
    except (ValueError, binascii.Error) as error:
        raise UploadRefused(
            f"The file {path[:MAX_QUOTED]!r} is not in base64. Encode it again."
        ) from error


def _program_or_not(data: bytes) -> Content:
    # A form cannot tell; a script that names its interpreter is one to be run.
    return Content(data, runs=data.startswith(b"#!"))


def _demand_new(path: str, files: Mapping[str, Content]) -> None:
    if path in files:
        raise UploadRefused(
            f"The form has the file {path[:MAX_QUOTED]!r} twice. Give each file its "
            "path below the directory as its file name."
        )
