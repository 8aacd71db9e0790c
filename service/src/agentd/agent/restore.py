# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""Transcripts that control reads from here, or has put here from its database."""

from __future__ import annotations

import asyncio
import base64
import binascii
from collections.abc import Callable, Mapping

from agentd.agent.settings import AgentSettings
from agentd.agent.start import is_uuid
from agentd.agent.transcript_calls import Given, places_of, session_of
from agentd.agent.workdir_parameters import tree_of
from agentd.definitions.names import is_name
from agentd.spawner.dial import Call, CallFailed
from agentd.transcripts.drafts import Draft, DraftRefused, begin, is_beside
from agentd.transcripts.pieces import read_piece

MAX_DRAFTS = 8


class Restore:
    """Reads pieces of transcripts, and writes whole ones while no CLI uses them."""

    def __init__(self, settings: AgentSettings, running: Callable[[str], bool]) -> None:
        self._places = places_of(settings)
        self._running = running
        self._drafts: dict[tuple[str, str], Draft] = {}

    async def read(self, given: Given) -> Given:
        """Return a piece of a session's own transcript."""
        session, after = session_of(given), given.get("after")
        if not (after is None or is_uuid(after)):
            raise CallFailed("after has to be a UUID.")
        piece = await asyncio.to_thread(
            read_piece,
            self._places,
            session,
            None if after is None else str(after),
            _offset(given),
        )
        return {**piece.for_output(), "running": self._running(session)}

    async def write(self, given: Given) -> Given:
        """Begin a file of a session, add to it, or put it in its place."""
        session, path, step = session_of(given), _path(given), given.get("step")
        key = (session, path)
        try:
            if step == "begin":
                self._demand_quiet(session)
                return await self._begin(key, self._project(given))
            draft = self._drafts.get(key)
            if draft is None:
                raise CallFailed("this file was not begun, or was given up meanwhile.")
            if step == "append":
                size = await asyncio.to_thread(draft.append, _data(given))
                return {"size": size}
            if step == "commit":
                return await self._commit(key, draft, keep=given.get("keep") is True)
        except (OSError, DraftRefused) as error:
            self._give_up(key)
            reason = getattr(error, "strerror", None) or str(error)
            raise CallFailed(
                f"Cannot write the transcript of session {session}: "
                f"{reason.rstrip('.')}. "
                "Look at the room and the owners of the agent's memory."
            ) from error
        raise CallFailed("step has to be begin, append or commit.")

    def _project(self, given: Given) -> str:
        tree = tree_of(given) if given.get("branch") is not None else None
        return self._places.project_of(_definition(given), tree)

    async def _begin(self, key: tuple[str, str], project: str) -> Given:
        self._give_up(key)
        while len(self._drafts) >= MAX_DRAFTS:
            self._give_up(next(iter(self._drafts)))
        draft = await asyncio.to_thread(begin, self._places, *key, project)
        self._drafts[key] = draft
        return {"size": 0}

    async def _commit(self, key: tuple[str, str], draft: Draft, *, keep: bool) -> Given:
        await asyncio.to_thread(draft.sync)
        # In the loop, which starts every CLI: none starts between look and deed.
        self._demand_quiet(key[0])
        kept = draft.put_in_place(keep=keep)
        await asyncio.to_thread(draft.sync_directory)
        self._give_up(key)
        return {"size": draft.size, "kept": kept}

    def _give_up(self, key: tuple[str, str]) -> None:
        draft = self._drafts.pop(key, None)
        if draft is not None:
            draft.close()

    def _demand_quiet(self, session: str) -> None:
        if self._running(session):
            raise CallFailed(
                f"Cannot write the transcript of session {session}: "
                "a CLI of it runs. Wait until its conversation is idle."
            )


def _path(given: Given) -> str:
    path = given.get("path", "")
    if not isinstance(path, str) or not (path == "" or is_beside(path)):
        raise CallFailed("path is none of a session's files.")
    return path


def _definition(given: Given) -> str | None:
    definition = given.get("definition")
    if definition is None or is_name(definition):
        return None if definition is None else str(definition)
    raise CallFailed("definition has to be the name of one.")


def _offset(given: Given) -> int:
    offset = given.get("offset", 0)
    if not isinstance(offset, int) or isinstance(offset, bool) or offset < 0:
        raise CallFailed("offset has to be a number from 0 on.")
    return offset


def _data(given: Given) -> bytes:
    data = given.get("data")
    try:
        return base64.b64decode(data if isinstance(data, str) else "", validate=True)
    except (binascii.Error, ValueError) as error:
        raise CallFailed("data has to be base64.") from error


def restore_calls(
    settings: AgentSettings, running: Callable[[str], bool]
) -> Mapping[str, Call]:
    """Return the calls by name; running says whether a CLI of that session runs."""
    restore = Restore(settings, running)
    return {"read_transcript": restore.read, "write_transcript": restore.write}
