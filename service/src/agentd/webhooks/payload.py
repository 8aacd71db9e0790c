# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""What stands in a body, whatever its sender put there."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from agentd.errors import WebhookUnreadable

MAX_TEXT = 20_000
MAX_LINE = 300
MAX_ADDRESS = 1000
MAX_LISTED = 100
MAX_DEPTH = 40
MAX_NUMBER = 2**53
NO_OBJECT = (
    "Cannot take this webhook: its body is no JSON object that could be read. Have the "
    "forge send it with the content type application/json."
)
_UNTOLD = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\ufeff]")
_ADDRESS = re.compile(r"https?://[\x21-\x7e]+")

Json = Mapping[str, Any]


def parse(body: bytes) -> Json:
    """Return the object in a body; raise WebhookUnreadable."""
    try:
        value = json.loads(body.decode("utf-8"), parse_constant=_refuse)
    except (ValueError, RecursionError):
        raise WebhookUnreadable(NO_OBJECT) from None
    if not isinstance(value, dict):
        raise WebhookUnreadable(NO_OBJECT)
    return value


def _refuse(_constant: str) -> None:
    raise ValueError("JSON has no such number")


def at(value: object, *path: str) -> object:
    """Return what stands at a path, or None."""
    for key in path:
        if not isinstance(value, dict):
            return None
        value = value.get(key)
    return value


def text(value: object, *path: str) -> str:
    """Return a text without what nobody sees; empty if there is none."""
    found = at(value, *path)
    if not isinstance(found, str):
        return ""
    # Half of a pair of surrogates can be stored nowhere.
    whole = found.replace("\r\n", "\n").encode("utf-8", "replace").decode("utf-8")
    return _UNTOLD.sub("", whole)


def line(value: object, *path: str) -> str:
    """Return a text of one line, cut."""
    return " ".join(text(value, *path)[: 4 * MAX_LINE].split())[:MAX_LINE]


def address(value: object, *path: str) -> str:
    """Return an address of the web; empty if there is none."""
    found = text(value, *path)
    fits = len(found) <= MAX_ADDRESS and _ADDRESS.fullmatch(found) is not None
    return found if fits else ""


def number(value: object, *path: str) -> str:
    """Return the number of an issue; raise WebhookUnreadable if there is none."""
    found = at(value, *path)
    if isinstance(found, int) and found is not True and 0 < found < MAX_NUMBER:
        return str(found)
    raise WebhookUnreadable(
        f'Cannot take this webhook: its "{".".join(path)}" is no number of an issue. '
        "Have a supported forge send it, as docs/webhooks.md lists them."
    )


def lines(value: object, key: str, *path: str) -> tuple[str, ...]:
    """Return the texts under a key of the objects in a list."""
    found = at(value, *path)
    if not isinstance(found, list):
        return ()
    return tuple(filter(None, (line(one, key) for one in found[:MAX_LISTED])))
