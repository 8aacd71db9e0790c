# Copyright: (c) 2026, The Agentkeep authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What one line of a transcript is, and what is wrong with it.

The service has a reading of its own; a contract test holds both to one table.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from .lines import Line

MOST_VALUES = 200_000
FREE_BYTES = 64 * 1024
MOST_DIGITS = 4300
MOST_CHARACTERS = 128
SPOKEN = ("user", "assistant")
BEGINNING = b'{"parentUuid"'
BYTE_ORDER_MARK = b"\xef\xbb\xbf"


@dataclass(frozen=True)
class Entry:
    """Hold what of a line matters to whether the conversation can go on."""

    kind: str
    uuid: str | None = None
    parent: str | None = None
    session: str | None = None
    aside: bool = False

    @property
    def speaks(self) -> bool:
        """Return whether the line is one of the conversation itself."""
        return self.kind in SPOKEN and not self.aside and self.uuid is not None


@dataclass(frozen=True)
class Judged:
    """Hold the entry if the CLI reads the line, and what is wrong with it."""

    entry: Entry | None = None
    fault: str | None = None
    known: bool = True


def judge(line: Line) -> Judged:
    """Given a line, return what it is."""
    if line.content is None:
        fault = None if line.whole and line.ended else "torn"
        return Judged(fault="nul" if line.nuls else fault, known=False)
    if line.nuls:
        return Judged(fault="nul")
    content = line.content
    if line.number == 1 and content.startswith(BYTE_ORDER_MARK):
        content = content[len(BYTE_ORDER_MARK) :]
    return _judge(content) if content.strip() else Judged()


def _judge(content: bytes) -> Judged:
    wrong = None
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        text, wrong = content.decode("utf-8", "replace"), "not_utf8"
    try:
        value = _parsed(content, text)
    except ValueError as error:
        return Judged(fault=wrong or _nature(content, error))
    entry = _entry(value)
    if entry is None:
        return Judged(fault=wrong or "no_object")
    return Judged(entry=entry, fault=wrong)


def _nature(content: bytes, error: ValueError) -> str:
    more = getattr(error, "msg", "") == "Extra data"
    return "spliced" if more or content.find(BEGINNING, 1) > 0 else "torn"


def _parsed(content: bytes, text: str) -> Any:
    if _is_dense(content):
        raise ValueError("more values than any line of the CLI has")
    try:
        return DECODER.decode(text)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error


def _is_dense(content: bytes) -> bool:
    """Return whether parsing the line would take many times its room."""
    if len(content) <= FREE_BYTES:
        return False
    bare = content.replace(b"\\\\", b"").replace(b'\\"', b"")
    if bare.count(b'"') > 2 * MOST_VALUES:
        return True
    outside = b"".join(bare.split(b'"')[::2])
    return sum(outside.count(sign) for sign in (b",", b"[", b"{")) > MOST_VALUES


def _whole_number(text: str) -> int:
    # Older Pythons take hours for a number of some million digits.
    if len(text) > MOST_DIGITS:
        raise ValueError("more digits than any number of the CLI has")
    return 0


def _no_constant(text: str) -> Any:
    raise ValueError(f"{text} is not JSON")


DECODER = json.JSONDecoder(parse_int=_whole_number, parse_constant=_no_constant)


def _entry(value: Any) -> Entry | None:
    if not isinstance(value, dict) or not isinstance(value.get("type"), str):
        return None
    return Entry(
        kind=value["type"],
        uuid=_name(value.get("uuid")),
        parent=_name(value.get("parentUuid")),
        session=_name(value.get("sessionId")),
        aside=value.get("isSidechain") is True,
    )


def _name(value: Any) -> str | None:
    fits = isinstance(value, str) and 0 < len(value) <= MOST_CHARACTERS
    return value if fits else None
