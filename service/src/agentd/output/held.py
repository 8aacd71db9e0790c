# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""The events of many tasks in memory: bounded for each and for all."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from agentd.output.pieces import Piece, Said
from agentd.output.places import Place

MAX_EVENTS = 2_000
MAX_CHARACTERS = 1_000_000
MAX_TASKS = 500
MAX_ALL_CHARACTERS = 32_000_000
# What an event costs beside its characters.
EVENT_CHARACTERS = 200


@dataclass
class Ring:
    """The latest events of one task; older ones make room, and leave a gap."""

    began_ms: int
    events: deque[tuple[Place, Piece]] = field(default_factory=deque)
    said: Said = field(default_factory=Said)
    number: int = 0
    characters: int = 0
    last_at: float = 0.0
    ended: bool = False

    def add(self, piece: Piece) -> None:
        """Take an event behind the others."""
        self.number += 1
        self.events.append((Place(self.began_ms, self.number), piece))
        self.characters += _cost(piece)
        while len(self.events) > MAX_EVENTS or self.characters > MAX_CHARACTERS:
            self.drop_first()

    def drop_first(self) -> None:
        """Forget the oldest event."""
        _place, piece = self.events.popleft()
        self.characters -= _cost(piece)

    def behind(self, last: Place) -> Iterator[tuple[Place, Piece]]:
        """Return the events behind a place."""
        skipped = 0
        if self.events and last.began_ms == self.began_ms:
            skipped = max(last.number - self.events[0][0].number + 1, 0)
        elif last.began_ms > self.began_ms:
            skipped = len(self.events)
        for index in range(skipped, len(self.events)):
            yield self.events[index]


class Held:
    """The rings of the tasks that said something lately."""

    def __init__(self) -> None:
        self._rings: dict[str, Ring] = {}
        self._changed: set[str] = set()

    def ring(self, task_id: str) -> Ring | None:
        """Return the ring of a task, if it has one."""
        return self._rings.get(task_id)

    def say(
        self, task_id: str, event: str, data: Mapping[str, object], now: float
    ) -> None:
        """Take what a task said."""
        ring = self._rings.pop(task_id, None) or Ring(int(now * 1000))
        # The latest is the last: who said nothing for the longest goes first.
        self._rings[task_id] = ring
        ring.last_at = now
        ring.ended = False
        for piece in ring.said.add(event, data):
            ring.add(piece)
        self._changed.add(task_id)

    def end(self, task_id: str) -> None:
        """Note that nothing follows."""
        ring = self._rings.get(task_id)
        if ring is not None:
            ring.ended = True

    def take_changed(self) -> list[str]:
        """Make what was said whole; return the tasks that said it."""
        changed = [one for one in self._changed if one in self._rings]
        self._changed.clear()
        for task_id in changed:
            ring = self._rings[task_id]
            for piece in ring.said.rest():
                ring.add(piece)
        self._make_room()
        return changed

    def forget(self, task_id: str) -> None:
        """Forget a task."""
        self._rings.pop(task_id, None)
        self._changed.discard(task_id)

    def forget_older(self, at: float) -> None:
        """Forget the tasks that said nothing since."""
        for task_id in [one for one, ring in self._rings.items() if ring.last_at < at]:
            self.forget(task_id)

    def __len__(self) -> int:
        return len(self._rings)

    def _make_room(self) -> None:
        characters = sum(ring.characters for ring in self._rings.values())
        by_age = sorted(self._rings, key=lambda one: not self._rings[one].ended)
        for task_id in by_age:
            if len(self) <= MAX_TASKS and characters <= MAX_ALL_CHARACTERS:
                return
            characters -= self._rings[task_id].characters
            self.forget(task_id)


def _cost(piece: Piece) -> int:
    return piece.size + EVENT_CHARACTERS
