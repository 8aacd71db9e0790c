# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""The SDK's SessionStore on our database, and the one that is bound to a session.

Both have the shape that the SDK asks for, without the SDK.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from agentd.clock import Clock
from agentd.database import transcripts
from agentd.database.open import Database
from agentd.database.transcripts import NewEntry, Place
from agentd.database.writer import Transaction
from agentd.engine.mirror_entries import is_subpath, known_again, new_entry
from agentd.errors import AgentdError, StoreRefused
from agentd.log import get_log

MAX_KEY_CHARACTERS = 256
MAX_ID_CHARACTERS = 64
MAX_SESSION_BYTES = 256 * 1024 * 1024
# The directory in which the CLI works is not part of what names our sessions.
PROJECT = "agentkeep"

Key = Mapping[str, str]
Entry = dict[str, Any]
Put = Callable[[str, Sequence[NewEntry]], Awaitable[None]]

log = get_log("mirror")


class DatabaseSessionStore:
    """Transcripts of one agent, by the project and the session that a key names."""

    def __init__(self, database: Database, agent: str, clock: Clock) -> None:
        self._database = database
        self._agent = agent
        self._clock = clock

    async def append(self, key: Key, entries: Sequence[Entry]) -> None:
        """Store entries behind the others; one with a known uuid is left out."""
        place, subpath = self._at(key)
        new = [new_entry(entry) for entry in entries]
        if not new:
            return
        now = self._clock.now()
        await self._database.do(
            lambda connection: transcripts.add_entries(
                connection, place, subpath, new, now
            )
        )

    async def load(self, key: Key) -> list[Entry] | None:
        """Return the entries of a session, or of a sub-agent; None if none are."""
        place, subpath = self._at(key)
        async with self._database.read() as connection:
            found = await transcripts.all_lines(connection, place, subpath)
        return [json.loads(line) for line in found] or None

    async def list_sessions(self, project_key: str) -> list[dict[str, Any]]:
        """Return the sessions of a project, with when they changed."""
        _demand(project_key, MAX_KEY_CHARACTERS, "project_key")
        async with self._database.read() as connection:
            found = await transcripts.projects_sessions(
                connection, self._agent, project_key
            )
        return [{"session_id": one, "mtime": int(at * 1000)} for one, at in found]

    async def delete(self, key: Key) -> None:
        """Remove a session with its sub-agents, or one of these."""
        place, subpath = self._at(key)
        await self._database.do(
            lambda connection: transcripts.remove_entries(
                connection, place, subpath or None
            )
        )

    async def list_subkeys(self, key: Key) -> list[str]:
        """Return the sub-agents' paths of a session."""
        place, _subpath = self._at(key)
        async with self._database.read() as connection:
            return await transcripts.subpaths(connection, place)

    def _at(self, key: Key) -> tuple[Place, str]:
        project = _demand(key.get("project_key"), MAX_KEY_CHARACTERS, "project_key")
        session = _demand(key.get("session_id"), MAX_ID_CHARACTERS, "session_id")
        subpath = key.get("subpath") or ""
        if subpath and not is_subpath(subpath) and not _is_plain(subpath):
            raise StoreRefused("The subpath of the key is none of a session's files.")
        return Place(self._agent, project, session), subpath


@dataclass(frozen=True)
class Binding:
    """The one session that a store takes, and the conversation that it belongs to."""

    agent: str
    conversation_id: str
    session_id: str

    @property
    def place(self) -> Place:
        """Return where its entries lie."""
        return Place(self.agent, PROJECT, self.session_id, self.conversation_id)


@dataclass(frozen=True)
class StoreParts:
    """What a bound store meets: ``host`` is the own name among those of a database.

    ``failed`` is called once for each session of which something was not stored.
    """

    database: Database
    clock: Clock
    host: str
    failed: Callable[[], None]


class BoundStore:
    """The store of one session; every other key is refused, whoever claims it.

    After an entry could not be stored, none is until ``filling`` has brought in what
    is missing: what is stored never has a hole. The project of a key is what the
    CLI's side chose, and means nothing here.
    """

    def __init__(self, parts: StoreParts, binding: Binding) -> None:
        self._parts = parts
        self._lock = asyncio.Lock()
        self._size: int | None = None
        self.binding = binding
        self.gap: str | None = None

    async def append(self, key: Key, entries: Sequence[Entry]) -> None:
        """Store entries of this session; raise StoreRefused or DatabaseFailed."""
        async with self._lock:
            if self.gap is not None:
                raise StoreRefused(self.gap)
            try:
                subpath = self._subpath(key)
                new = [known_again(new_entry(entry)) for entry in entries]
                await self._put(subpath, new, fenced=True)
            except BaseException as error:
                self._break(error)
                raise

    async def load(self, key: Key) -> list[Entry] | None:
        """Return the entries of this session, or of one of its sub-agents."""
        place, subpath = self.binding.place, self._subpath(key)
        async with self._parts.database.read() as connection:
            found = await transcripts.all_lines(connection, place, subpath)
        return [json.loads(line) for line in found] or None

    async def list_subkeys(self, key: Key) -> list[str]:
        """Return the sub-agents' paths of this session."""
        self._subpath(key)
        async with self._parts.database.read() as connection:
            return await transcripts.subpaths(connection, self.binding.place)

    def lose(self, reason: str) -> None:
        """Note that something did not come here at all."""
        self._break(StoreRefused(reason))

    @asynccontextmanager
    async def filling(self, *, fenced: bool) -> AsyncIterator[Put]:
        """Give a way to store what is missing; at its end, nothing is any more."""

        async def put(subpath: str, new: Sequence[NewEntry]) -> None:
            await self._put(subpath, new, fenced=fenced)

        async with self._lock:
            yield put
            self.gap = None

    async def _put(
        self, subpath: str, new: Sequence[NewEntry], *, fenced: bool
    ) -> None:
        if not new:
            return
        place, now = self.binding.place, self._parts.clock.now()
        size, more = self._size, sum(one.size for one in new)

        def store(connection: Transaction) -> int:
            self._demand_ours(connection, fenced)
            known = transcripts.size_of(connection, place) if size is None else size
            if known + more > MAX_SESSION_BYTES:
                raise StoreRefused(
                    f"The transcript of session {place.session_id} has more than "
                    f"{MAX_SESSION_BYTES} bytes. Set session_max_bytes, so that a "
                    "new session begins earlier."
                )
            transcripts.add_entries(connection, place, subpath, new, now)
            return known + more

        # Nobody was told of it yet: the answer, which is synced, takes it along.
        self._size = await self._parts.database.do(store, synced=False)

    def _demand_ours(self, connection: Transaction, fenced: bool) -> None:
        """Refuse what comes late, from a turn that another host took over."""
        exists, host = transcripts.host_of(connection, self.binding.conversation_id)
        if not exists:
            raise StoreRefused("The conversation was removed meanwhile.")
        if fenced and host is not None and host != self._parts.host:
            raise StoreRefused(f'The conversation went on at host "{host}".')

    def _subpath(self, key: Key) -> str:
        if key.get("session_id") != self.binding.session_id:
            raise StoreRefused(
                f"Only session {self.binding.session_id} may be stored here, and "
                "another was named."
            )
        subpath = key.get("subpath") or ""
        if subpath and not is_subpath(subpath):
            raise StoreRefused("The subpath of the key is none of a session's files.")
        return subpath

    def _break(self, error: BaseException) -> None:
        if self.gap is not None:
            return
        told = isinstance(error, AgentdError)
        self.gap = str(error) if told else "Storing the transcript was broken off."
        self._parts.failed()
        log.warning(
            "transcript_not_stored",
            agent=self.binding.agent,
            conversation=self.binding.conversation_id,
            session=self.binding.session_id,
            error=self.gap,
        )


def _demand(value: object, most: int, name: str) -> str:
    if isinstance(value, str) and 0 < len(value) <= most and value.isprintable():
        return value
    raise StoreRefused(f"The {name} of the key is empty, too long or not printable.")


def _is_plain(subpath: str) -> bool:
    """Return whether it is one word: such as others may name their files."""
    return subpath.isascii() and subpath.replace("-", "").isalnum()
