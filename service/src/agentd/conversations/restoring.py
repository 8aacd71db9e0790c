# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""A transcript of the database put on an agent's disk, with its sub-agents'."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from agentd.database import transcripts
from agentd.database.open import Database
from agentd.database.transcripts import Place
from agentd.engine.mirror_entries import is_subpath
from agentd.spawner.protocol import Spawner
from agentd.work.values import Tree

CALL_SECONDS = 30.0
READ_BYTES = 1024 * 1024
READ_ENTRIES = 5000
# In base64 it has to fit into a frame.
PIECE_BYTES = 128 * 1024
MAX_FILES = 1000
# Not a line of a sub-agent's transcript, but what the CLI keeps in a file beside it.
METADATA = "agent_metadata"


@dataclass(frozen=True)
class Goal:
    """Whose disk it is, and in which directory the session's CLI works there."""

    spawner: Spawner
    definition: str | None = None
    tree: Tree | None = None

    def directory(self) -> dict[str, object]:
        """Return what the agent's side knows the directory by."""
        if self.tree is None:
            return {"definition": self.definition}
        repository, branch = str(self.tree.repository), self.tree.branch
        return {"repository": repository, "branch": branch}


async def restore(database: Database, goal: Goal, place: Place, *, keep: bool) -> int:
    """Write every file of a session, its own last; return how many they are.

    The own file takes the place of what is there, which is kept beside if told.
    Raise DatabaseFailed or the agent's errors.
    """
    async with database.read() as connection:
        found = await transcripts.subpaths(connection, place)
    subpaths = [one for one in found if is_subpath(one)][:MAX_FILES]
    for subpath in subpaths:
        writing = Writing(goal, place, f"{subpath}.jsonl")
        metadata = await writing.put(_lines(database, place, subpath), keep=False)
        if metadata is not None:
            beside = Writing(goal, place, f"{subpath}.meta.json")
            await beside.put(_one(json.dumps(metadata)), keep=False)
    await Writing(goal, place, "").put(_lines(database, place, ""), keep=keep)
    return len(subpaths) + 1


class Writing:
    """One file that the agent's side writes."""

    def __init__(self, goal: Goal, place: Place, path: str) -> None:
        self._goal = goal
        self._place = place
        self._path = path
        self._metadata: dict[str, Any] | None = None

    async def put(
        self, lines: AsyncIterator[str], *, keep: bool
    ) -> dict[str, Any] | None:
        """Write the lines; return what of them belongs into a file beside."""
        await self._call("begin")
        buffer = bytearray()
        async for line in lines:
            if self._path and self._is_metadata(line):
                continue
            buffer += line.encode() + b"\n"
            for piece in _pieces(buffer, whole=False):
                await self._append(piece)
        for piece in _pieces(buffer, whole=True):
            await self._append(piece)
        await self._call("commit", keep=keep)
        return self._metadata

    def _is_metadata(self, line: str) -> bool:
        if METADATA not in line[:200]:
            return False
        value = json.loads(line)
        if value.get("type") != METADATA:
            return False
        # The last one holds; its type was added by the CLI for the way to here.
        self._metadata = {name: one for name, one in value.items() if name != "type"}
        return True

    async def _append(self, piece: bytes) -> None:
        await self._call("append", data=base64.b64encode(piece).decode())

    async def _call(self, step: str, **given: object) -> None:
        await self._goal.spawner.call(
            self._place.agent,
            "write_transcript",
            {
                "session_id": self._place.session_id,
                **self._goal.directory(),
                "path": self._path,
                "step": step,
                **given,
            },
            timeout_seconds=CALL_SECONDS,
        )


def _pieces(buffer: bytearray, *, whole: bool) -> Iterator[bytes]:
    """Take pieces off the buffer; without ``whole``, only full ones."""
    while len(buffer) >= (1 if whole else PIECE_BYTES):
        piece = bytes(buffer[:PIECE_BYTES])
        del buffer[:PIECE_BYTES]
        yield piece


async def _lines(database: Database, place: Place, subpath: str) -> AsyncIterator[str]:
    """Return the lines of a file, of which few are held at once."""
    after = 0
    while True:
        async with database.read() as connection:
            sizes = await transcripts.sizes(
                connection, place, subpath, after, READ_ENTRIES
            )
        for first, last in _ranges(sizes):
            async with database.read() as connection:
                found = await transcripts.lines(connection, place, subpath, first, last)
            for line in found:
                yield line
        if len(sizes) < READ_ENTRIES:
            return
        after = sizes[-1][0]


def _ranges(sizes: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Return the first and last number of what is read together."""
    first = last = None
    taken = 0
    for number, size in sizes:
        if first is None:
            first = number
        last, taken = number, taken + size
        if taken >= READ_BYTES:
            yield first, last
            first, taken = None, 0
    if first is not None and last is not None:
        yield first, last


async def _one(text: str) -> AsyncIterator[str]:
    yield text
