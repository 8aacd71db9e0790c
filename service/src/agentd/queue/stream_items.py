# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""The names of the queue's streams, and the messages on them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from agentd.queue.values import RANKS

DATA = b"data"
MAX_TEXT = 10_000


@dataclass(frozen=True)
class Item:
    """One message as it was taken; its id is the task's, unless it is none of ours."""

    stream: str
    entry: str
    fields: Mapping[bytes, bytes]

    @property
    def task_id(self) -> str | None:
        """Return the id that it carries, or None if it carries none."""
        found = self.fields.get(DATA, b"")
        try:
            text = found.decode("ascii")
        except UnicodeDecodeError:
            return None
        return text if 0 < len(text) <= 64 else None

    @property
    def text(self) -> str:
        """Return what it holds, for people."""
        return repr(dict(self.fields))[:MAX_TEXT]


@dataclass(frozen=True)
class StreamNames:
    """The keys of one deployment's queue; in a cluster they lie together."""

    deployment: str

    @property
    def wake(self) -> str:
        """Return the stream on which every host hears that something came."""
        return f"{{agentkeep:{self.deployment}}}:queue-wake"

    def of(self, agent: str) -> list[str]:
        """Return the streams of an agent, the highest priority first."""
        begin = f"{{agentkeep:{self.deployment}}}:queue:{agent}"
        return [f"{begin}:{name}" for name in sorted(RANKS, key=RANKS.__getitem__)]


def item_of(stream: bytes | str, entry: bytes | str, fields: Any) -> Item:
    """Return a message, whose fields a script tells one behind the other."""
    if not isinstance(fields, dict):
        fields = dict(zip(fields[::2], fields[1::2], strict=True))
    return Item(text_of(stream), text_of(entry), fields)


def by_stream(items: Iterable[Item]) -> dict[str, list[str]]:
    """Return the entries of each stream."""
    found: dict[str, list[str]] = {}
    for item in items:
        found.setdefault(item.stream, []).append(item.entry)
    return found


def text_of(word: bytes | str) -> str:
    """Return a word as text."""
    return word.decode() if isinstance(word, bytes) else word
