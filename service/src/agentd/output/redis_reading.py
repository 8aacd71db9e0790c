# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""One reader of one stream."""

from __future__ import annotations

import asyncio
import json
import re
import time
from typing import Any

from agentd.output.places import Place, gap_before, place_of
from agentd.output.protocol import OutputEvent
from agentd.output.redis_client import FAILURES, Client

# Short, so that a reader comes to an end soon after the service was told to stop.
WAIT_MS = 1000
AT_ONCE = 32
# A primary that is lost has another one by then.
HEAL_SECONDS = 30.0
AGAIN_SECONDS = 1.0
NAME = re.compile(r"[a-z][a-z_]{0,63}")


class Reading:
    """Reads on behind the last event; a failure is one when it lasts."""

    def __init__(self, client: Client, key: str, after: str | None) -> None:
        self._client = client
        self._key = key
        self._last = place_of(after)
        self._began = False
        self._heard_at = time.monotonic()

    async def some(self) -> list[OutputEvent]:
        """Return what follows, or nothing after a while; the first time at once."""
        try:
            answer = await self._client.xread(
                {self._key: str(self._last)},
                count=AT_ONCE,
                block=WAIT_MS if self._began else None,
            )
        except FAILURES:
            healing = time.monotonic() - self._heard_at < HEAL_SECONDS
            if not self._began or not healing:
                raise
            await asyncio.sleep(AGAIN_SECONDS)
            return []
        self._began = True
        self._heard_at = time.monotonic()
        return self._read(answer)

    def _read(self, answer: Any) -> list[OutputEvent]:
        found: list[OutputEvent] = []
        for _key, entries in answer or ():
            for id_, fields in entries:
                place = place_of(id_.decode("ascii", "replace"))
                gap = gap_before(place, self._last)
                if gap is not None:
                    found.append(gap)
                self._last = place
                found.append(_event(place, fields))
        return found


def _event(place: Place, fields: dict[bytes, bytes]) -> OutputEvent:
    # Others may write to the same Redis: what is no event of ours is an empty one.
    name = fields.get(b"event", b"").decode("utf-8", "replace")
    try:
        data = json.loads(fields.get(b"data", b"{}"))
    except (ValueError, RecursionError):
        data = {}
    return OutputEvent(
        str(place),
        name if NAME.fullmatch(name) else "unknown",
        data if isinstance(data, dict) else {},
    )
