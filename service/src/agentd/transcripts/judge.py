# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""What one line of a transcript is, and what is wrong with it; nothing is read here.

The collection has its own reading of the same rules; a contract test compares them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NoReturn

from agentd.transcripts.lines import Line

# What a parser makes of small values takes many times their room, so that a line
# with more of them than any real one is not given to it.
MAX_VALUES = 200_000
SMALL_BYTES = 64 * 1024
MAX_NAME_CHARACTERS = 128
MAIN_TYPES = frozenset({"user", "assistant"})
LINE_START = b'{"parentUuid"'
BYTE_ORDER_MARK = b"\xef\xbb\xbf"


@dataclass(frozen=True)
class Entry:
    """What a line says, and what of it matters to the conversation."""

    kind: str
    uuid: str | None
    parent: str | None
    session_id: str | None
    sidechain: bool
    value: Mapping[str, object]

    @property
    def speaks(self) -> bool:
        """Return whether the line is one of the conversation itself."""
        main = self.kind in MAIN_TYPES and not self.sidechain
        return main and self.uuid is not None


@dataclass(frozen=True)
class Judged:
    """A line's entry if the CLI reads it, and its fault if it has one."""

    entry: Entry | None = None
    fault: str | None = None
    judged: bool = True


def judge(line: Line) -> Judged:
    """Given a line, return what it is."""
    if line.content is None:
        if line.nuls:
            return Judged(fault="nul", judged=False)
        whole = line.edges == b"{}" and line.ended
        return Judged(fault=None if whole else "torn", judged=False)
    content = line.content
    if line.number == 1:
        content = content.removeprefix(BYTE_ORDER_MARK)
    if line.nuls:
        return Judged(fault="nul")
    if not content.strip():
        return Judged()
    return _judge_content(content)


def _judge_content(content: bytes) -> Judged:
    try:
        text, fault = content.decode(), None
    except UnicodeDecodeError:
        # The CLI reads such a line with a mark in the place of each wrong byte.
        text, fault = content.decode(errors="replace"), "not_utf8"
    try:
        value = parse(content, text)
    except ValueError as error:
        return Judged(fault=fault or _nature(content, error))
    if (entry := entry_of(value)) is None:
        return Judged(fault=fault or "no_object")
    return Judged(entry=entry, fault=fault)


def _nature(content: bytes, error: ValueError) -> str:
    more = isinstance(error, json.JSONDecodeError) and error.msg == "Extra data"
    return "spliced" if more or content.find(LINE_START, 1) > 0 else "torn"


def parse(content: bytes, text: str) -> object:
    """Return the JSON value of a line; raise ValueError if it is none."""
    if is_dense(content):
        raise ValueError("it has more values than a line may have")
    try:
        return DECODER.decode(text)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error


def is_dense(content: bytes) -> bool:
    """Return whether a line has more values than a transcript's line may have."""
    if len(content) <= SMALL_BYTES:
        return False
    bare = content.replace(b"\\\\", b"").replace(b'\\"', b"")
    if bare.count(b'"') > 2 * MAX_VALUES:
        return True
    outside = b"".join(bare.split(b'"')[::2])
    return sum(outside.count(sign) for sign in (b",", b"[", b"{")) > MAX_VALUES


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


DECODER = json.JSONDecoder(parse_constant=_refuse_constant)


def entry_of(value: object) -> Entry | None:
    """Return the entry that a JSON value is, or None if it is none."""
    if not isinstance(value, dict) or not isinstance(value.get("type"), str):
        return None
    return Entry(
        kind=value["type"],
        uuid=_name(value.get("uuid")),
        parent=_name(value.get("parentUuid")),
        session_id=_name(value.get("sessionId")),
        sidechain=value.get("isSidechain") is True,
        value=value,
    )


def _name(value: object) -> str | None:
    if isinstance(value, str) and 0 < len(value) <= MAX_NAME_CHARACTERS:
        return value
    return None
