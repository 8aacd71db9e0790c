# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Writes what is held to streams: each event once, whatever is lost on the way.

The ids are ours, so that what was written and not answered can be written again: Redis
refuses ids that do not grow.
"""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from redis.exceptions import ResponseError

from agentd.output.held import MAX_CHARACTERS, MAX_EVENTS, Held, Ring
from agentd.output.pieces import END, Piece
from agentd.output.places import Place, place_of
from agentd.output.redis_client import Client

BATCH = 256
BLOCK_CHARACTERS = 100_000
TOO_SMALL = "equal or smaller"
WRONG_TYPE = "WRONGTYPE"


@dataclass
class Stream:
    """What is known of a stream that this process writes."""

    began_ms: int
    written: bool = False
    expires_at: float = -math.inf
    blocks: deque[tuple[Place, int]] = field(default_factory=deque)
    trim_before: Place | None = None

    def grew(self, place: Place, size: int) -> None:
        """Count an event that was written, and what is to go for it."""
        if not self.blocks or self.blocks[-1][1] >= BLOCK_CHARACTERS:
            self.blocks.append((place, 0))
        first, before = self.blocks.pop()
        self.blocks.append((first, before + size))
        if sum(size for _first, size in self.blocks) > MAX_CHARACTERS:
            self.blocks.popleft()
            self.trim_before = self.blocks[0][0]


@dataclass(frozen=True)
class Write:
    """One event on its way."""

    task_id: str
    place: Place
    piece: Piece


class Writing:
    """Empties the rings into their streams."""

    def __init__(
        self, client: Client, prefix: str, held: Held, ttl_seconds: float
    ) -> None:
        self._client = client
        self._prefix = prefix
        self._held = held
        self._ttl_seconds = ttl_seconds
        self._streams: dict[str, Stream] = {}
        self._waiting: set[str] = set()

    async def write(self, changed: Iterable[str]) -> None:
        """Write what the tasks said; raise what Redis raises, and lose nothing."""
        self._waiting.update(changed)
        self._forget()
        while writes := list(islice(self._writes(), BATCH)):
            answers = await self._send(writes)
            await self._sort(writes, answers)
        self._waiting.clear()

    def _writes(self) -> Iterator[Write]:
        for task_id in self._waiting:
            ring = self._held.ring(task_id)
            for place, piece in ring.events if ring is not None else ():
                yield Write(task_id, place, piece)

    async def _send(self, writes: list[Write]) -> list[Any]:
        pipeline: Any = self._client.pipeline(transaction=False)
        for one in writes:
            pipeline.xadd(
                self._prefix + one.task_id,
                {"event": one.piece.event, "data": one.piece.data},
                id=str(one.place),
                maxlen=MAX_EVENTS,
                approximate=True,
            )
        for task_id in dict.fromkeys(one.task_id for one in writes):
            stream = self._stream(task_id)
            if stream.trim_before is not None:
                pipeline.xtrim(
                    self._prefix + task_id,
                    minid=str(stream.trim_before),
                    approximate=False,
                )
                stream.trim_before = None
            if self._must_refresh(task_id):
                milliseconds = math.ceil(self._ttl_seconds * 1000)
                pipeline.pexpire(self._prefix + task_id, milliseconds)
        answers: list[Any] = await pipeline.execute(raise_on_error=False)
        return answers

    async def _sort(self, writes: list[Write], answers: list[Any]) -> None:
        """Forget what is written; begin later where somebody else wrote already."""
        for one, answer in zip(writes, answers, strict=False):
            if _is_taken(answer):
                # Something else lies under its key; the others are written still.
                self._held.forget(one.task_id)
        for answer in answers:
            known = _too_small(answer) or _is_taken(answer)
            if isinstance(answer, Exception) and not known:
                raise answer
        overtaken = {
            one.task_id
            for one, answer in zip(writes, answers, strict=False)
            if _too_small(answer) and not self._stream(one.task_id).written
        }
        for one in writes:
            if one.task_id not in overtaken:
                self._is_written(one)
        for task_id in overtaken:
            await self._begin_behind(task_id)

    def _is_written(self, one: Write) -> None:
        ring = self._held.ring(one.task_id)
        if ring is None:
            return
        stream = self._stream(one.task_id)
        stream.written = True
        stream.grew(one.place, one.piece.size)
        _drop_until(ring, one.place)
        if one.piece.event == END and not ring.events:
            self._held.forget(one.task_id)

    async def _begin_behind(self, task_id: str) -> None:
        newest: Any = await self._client.xrevrange(self._prefix + task_id, count=1)
        last = place_of(newest[0][0].decode("ascii", "replace")) if newest else None
        ring = self._held.ring(task_id)
        if ring is None:
            return
        if last is not None and last.began_ms == ring.began_ms:
            # It was us: written, and the answer was lost.
            _drop_until(ring, last)
        elif last is not None:
            _begin_at(ring, last.began_ms + 1)
        self._streams[task_id] = Stream(ring.began_ms, written=True)

    def _stream(self, task_id: str) -> Stream:
        ring = self._held.ring(task_id)
        began_ms = ring.began_ms if ring is not None else 0
        found = self._streams.get(task_id)
        if found is None or found.began_ms != began_ms:
            found = self._streams[task_id] = Stream(began_ms)
        return found

    def _must_refresh(self, task_id: str) -> bool:
        """Return whether the time that a stream stays has to be told again."""
        stream, now = self._stream(task_id), time.monotonic()
        ring = self._held.ring(task_id)
        ended = ring is not None and ring.ended
        if not ended and now < stream.expires_at - self._ttl_seconds * 0.9:
            return False
        stream.expires_at = now + self._ttl_seconds
        return True

    def _forget(self) -> None:
        for task_id in [one for one in self._streams if self._held.ring(one) is None]:
            del self._streams[task_id]


def _too_small(answer: object) -> bool:
    return isinstance(answer, ResponseError) and TOO_SMALL in str(answer)


def _is_taken(answer: object) -> bool:
    return isinstance(answer, ResponseError) and WRONG_TYPE in str(answer)


def _drop_until(ring: Ring, place: Place) -> None:
    while ring.events and ring.events[0][0] <= place:
        ring.drop_first()


def _begin_at(ring: Ring, began_ms: int) -> None:
    """Number what a ring holds anew, behind what others wrote."""
    events = [piece for _place, piece in ring.events]
    ring.began_ms, ring.number, ring.characters = began_ms, 0, 0
    ring.events.clear()
    for piece in events:
        ring.add(piece)
