# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Pieces of a transcript on an agent's disk, as its side tells them."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass

from agentd.engine.mirror_store import Binding
from agentd.errors import CallRefused, StoreRefused
from agentd.sessions.identity import canonical_uuid
from agentd.spawner.protocol import Spawner

CALL_SECONDS = 30.0
MAX_OFFSET = 2**53


@dataclass(frozen=True)
class Tail:
    """Some bytes of a file and where they end; none if ``found`` is false."""

    exists: bool = False
    found: bool = False
    size: int = 0
    end: int = 0
    data: bytes = b""
    last_uuid: str | None = None


async def first_tail(spawner: Spawner, binding: Binding, after: str | None) -> Tail:
    """Return what lies behind the line with that uuid; raise the agent's errors."""
    return await _read(spawner, binding, {"after": after})


async def next_tail(spawner: Spawner, binding: Binding, tail: Tail) -> Tail:
    """Return what comes next, up to the size that the file had at first."""
    following = await _read(spawner, binding, {"offset": tail.end})
    if following.end <= tail.end:
        raise StoreRefused("The transcript on disk became shorter while it was read.")
    return Tail(True, True, tail.size, following.end, following.data)


async def _read(
    spawner: Spawner, binding: Binding, which: Mapping[str, object]
) -> Tail:
    answer = await spawner.call(
        binding.agent,
        "read_transcript",
        {"session_id": binding.session_id, **which},
        timeout_seconds=CALL_SECONDS,
    )
    if answer.get("exists") is not True:
        return Tail()
    data = _bytes(answer.get("data"))
    return Tail(
        exists=True,
        found=answer.get("found") is True,
        size=_number(answer.get("size")),
        end=_number(answer.get("offset")) + len(data),
        data=data,
        last_uuid=canonical_uuid(answer.get("last_uuid")),
    )


def _bytes(told: object) -> bytes:
    if isinstance(told, str):
        with suppress(binascii.Error, ValueError):
            return base64.b64decode(told, validate=True)
    raise CallRefused("The agent's side answered what is no piece of a file.")


def _number(told: object) -> int:
    if isinstance(told, bool) or not isinstance(told, int):
        return 0
    return min(max(told, 0), MAX_OFFSET)
