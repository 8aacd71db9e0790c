# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""What the CLI's side says of a transcript, judged before it is stored.

File names and entries come out of an agent's container.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from agentd.database.transcripts import NewEntry
from agentd.errors import StoreRefused
from agentd.sessions.identity import canonical_uuid

MAX_ENTRY_BYTES = 8 * 1024 * 1024
MAX_OPENINGS = 200_000
# What a row takes beside the line in it.
ROW_BYTES = 128
MAX_PATH_CHARACTERS = 4096
# What the CLI keeps on disk alone, for its own statistics.
LOCAL_TYPES = "api-request"
UUID = re.compile(r"[\x21-\x7e]{1,64}")
SUBPATH = re.compile(r"subagents(/[A-Za-z0-9][A-Za-z0-9._-]{0,127}){1,6}")
MAX_SUBPATH = 500
FILE = re.compile(
    r".*/projects/[^/]+/(?P<session>[0-9a-f-]{36})(/(?P<subpath>subagents/.+))?\.jsonl",
    re.DOTALL,
)


@dataclass(frozen=True)
class FileKey:
    """Which file of which session a path names."""

    session_id: str
    subpath: str = ""


def key_of_path(path: object) -> FileKey:
    """Return what a transcript's path names; raise StoreRefused if it is none."""
    if isinstance(path, str) and len(path) <= MAX_PATH_CHARACTERS:
        found = FILE.fullmatch(path)
        subpath = "" if found is None else found["subpath"] or ""
        if found is not None and (subpath == "" or is_subpath(subpath)):
            return FileKey(found["session"], subpath)
    raise StoreRefused("The CLI named a transcript that is none.")


def is_subpath(subpath: object) -> bool:
    """Return whether it names a sub-agent's transcript, and nothing outside."""
    return (
        isinstance(subpath, str)
        and len(subpath) <= MAX_SUBPATH
        and SUBPATH.fullmatch(subpath) is not None
    )


def new_entry(entry: object) -> NewEntry:
    """Return an entry as it is stored; raise StoreRefused if it cannot be."""
    if not isinstance(entry, dict) or not isinstance(entry.get("type"), str):
        raise StoreRefused("An entry of the transcript is no object with a type.")
    try:
        text = json.dumps(
            entry, ensure_ascii=False, allow_nan=False, separators=(",", ":")
        )
        size = len(text.encode())
    except UnicodeEncodeError:
        # Half a sign: as an escape it is the same, and can be stored.
        text = json.dumps(entry, allow_nan=False, separators=(",", ":"))
        size = len(text)
    except (ValueError, TypeError, RecursionError) as error:
        raise StoreRefused("An entry of the transcript is no JSON.") from error
    return _checked(NewEntry(_uuid(entry), text, size + ROW_BYTES))


def entry_of_line(line: bytes) -> NewEntry | None:
    """Return the entry in a line of a transcript, None for what is not stored.

    A line that the CLI would skip too is none.
    """
    if len(line) > MAX_ENTRY_BYTES or _openings(line) > MAX_OPENINGS:
        raise StoreRefused("A line of the transcript is too large to be stored.")
    try:
        text = line.decode()
        value: Any = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(value, dict) or not isinstance(value.get("type"), str):
        return None
    if value["type"].startswith(LOCAL_TYPES):
        return None
    return known_again(NewEntry(_uuid(value), text, len(line) + ROW_BYTES))


def known_again(entry: NewEntry) -> NewEntry:
    """Return the entry with its uuid only if an agent's side finds its line by that."""
    known = canonical_uuid(entry.uuid)
    return entry if entry.uuid == known else replace(entry, uuid=None)


def _uuid(entry: Mapping[str, Any]) -> str | None:
    uuid = entry.get("uuid")
    known = isinstance(uuid, str) and UUID.fullmatch(uuid) is not None
    return uuid if known else None


def _openings(line: bytes) -> int:
    return line.count(b"[") + line.count(b"{")


def _checked(entry: NewEntry) -> NewEntry:
    if entry.size > MAX_ENTRY_BYTES:
        raise StoreRefused(
            f"An entry of the transcript has {entry.size} bytes; {MAX_ENTRY_BYTES} "
            "can be stored."
        )
    return entry
