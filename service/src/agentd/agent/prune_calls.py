# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""The calls by which control has old files of the CLI listed and removed."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from functools import partial

from agentd.agent.settings import AgentSettings
from agentd.agent.start import is_uuid
from agentd.agent.transcript_calls import EXCHANGE_SECONDS, places_of, wait_for
from agentd.spawner.dial import Call, CallFailed
from agentd.transcripts.in_use import open_files
from agentd.transcripts.prune import (
    MAX_PAGE,
    InUse,
    OldSession,
    Removal,
    clear_taken,
    list_old,
    names_of,
    remove_session,
)
from agentd.transcripts.prune_files import AREAS, Rule, prune_area
from agentd.transcripts.repair import RepairRefused

MAX_REMOVED = 100

Given = Mapping[str, object]


class PruneCalls:
    """Removes one thing at a time, beside the event loop."""

    def __init__(self, settings: AgentSettings, running: Callable[[str], bool]) -> None:
        self._places = places_of(settings)
        self._running = running
        self._one_at_a_time = asyncio.Lock()

    async def list_old(self, given: Given) -> Mapping[str, object]:
        """List sessions of which nothing was written for so long."""
        after, limit = given.get("after"), given.get("limit", MAX_PAGE)
        if not (after is None or is_uuid(after)):
            raise CallFailed("after has to be a UUID.")
        if not isinstance(limit, int) or isinstance(limit, bool) or limit < 1:
            raise CallFailed("limit has to be a number above 0.")
        before = time.time() - _seconds(given.get("older_than_seconds"))
        page = await asyncio.to_thread(
            list_old,
            self._places,
            before,
            None if after is None else str(after),
            min(limit, MAX_PAGE),
        )
        listed = [
            {
                "session_id": one.session_id,
                "modified_at": one.modified_at,
                "bytes": one.bytes,
            }
            for one in page.sessions
        ]
        more = page.following is not None
        return {"sessions": listed, "next": page.following, "more": more}

    async def remove(self, given: Given) -> Mapping[str, object]:
        """Remove sessions that are as they were listed; the others are kept."""
        wanted, dry_run = _sessions(given), _flag(given, "dry_run")
        async with self._one_at_a_time:
            return await asyncio.to_thread(
                self._remove, asyncio.get_running_loop(), wanted, dry_run
            )

    def _remove(
        self, loop: asyncio.AbstractEventLoop, wanted: list[OldSession], dry_run: bool
    ) -> Mapping[str, object]:
        names = names_of(self._places, [one.session_id for one in wanted])
        removal = Removal(self._places, open_files(), dry_run)
        removed: list[str] = []
        freed = 0
        for one in wanted:
            try:
                freed += remove_session(
                    removal,
                    one,
                    names[one.session_id],
                    partial(self._exchange, loop, one.session_id),
                )
            except (InUse, OSError):
                continue
            removed.append(one.session_id)
        kept = [one.session_id for one in wanted if one.session_id not in removed]
        return {"removed": removed, "kept": kept, "bytes": freed}

    def _exchange(
        self,
        loop: asyncio.AbstractEventLoop,
        session_id: str,
        deed: Callable[[], None],
    ) -> None:
        done: Future[None] = Future()

        def step() -> None:
            if not done.set_running_or_notify_cancel():
                return
            try:
                # In the loop, which starts every CLI: none starts meanwhile.
                if self._running(session_id):
                    raise InUse
                deed()
            except (InUse, OSError) as error:
                done.set_exception(error)
            else:
                done.set_result(None)

        loop.call_soon_threadsafe(step)
        try:
            wait_for(done, EXCHANGE_SECONDS)
        except RepairRefused as error:
            raise InUse from error

    async def files(self, given: Given) -> Mapping[str, object]:
        """Remove what is older than its area's time, and tell what was freed."""
        rules, dry_run = _ages(given), _flag(given, "dry_run")
        async with self._one_at_a_time:
            return await asyncio.to_thread(self._files, rules, dry_run)

    def _files(self, ages: Mapping[str, float], dry_run: bool) -> Mapping[str, object]:
        now, known_open = time.time(), open_files()
        config = self._places.config_directory
        areas = {
            area: prune_area(
                config, area, Rule(now - seconds, dry_run, known_open)
            ).for_output()
            for area, seconds in ages.items()
        }
        left = 0 if dry_run else clear_taken(self._places)
        return {"areas": areas, "left_bytes": left}


def _seconds(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise CallFailed("older_than_seconds has to be a number.")
    if not 0 < value < 1e10:
        raise CallFailed("older_than_seconds has to be above 0.")
    return float(value)


def _flag(given: Given, name: str) -> bool:
    value = given.get(name, False)
    if not isinstance(value, bool):
        raise CallFailed(f"{name} has to be true or false.")
    return value


def _ages(given: Given) -> dict[str, float]:
    ages = given.get("older_than_seconds")
    if not isinstance(ages, dict) or not set(ages) <= set(AREAS):
        raise CallFailed(f"older_than_seconds has to have some of {', '.join(AREAS)}.")
    return {area: _seconds(seconds) for area, seconds in ages.items()}


def _sessions(given: Given) -> list[OldSession]:
    sessions = given.get("sessions")
    if not isinstance(sessions, list) or len(sessions) > MAX_REMOVED:
        raise CallFailed(f"sessions has to be a list of at most {MAX_REMOVED}.")
    found: dict[str, OldSession] = {}
    for one in sessions:
        if not isinstance(one, dict) or not is_uuid(one.get("session_id")):
            raise CallFailed("each session needs a session_id that is a UUID.")
        modified = one.get("modified_at")
        if isinstance(modified, bool) or not isinstance(modified, int | float):
            raise CallFailed("each session needs modified_at, a number.")
        session_id = str(one["session_id"])
        found[session_id] = OldSession(session_id, float(modified), 0)
    return list(found.values())


def prune_calls(
    settings: AgentSettings, running: Callable[[str], bool]
) -> Mapping[str, Call]:
    """Return the calls by name; running says whether a CLI of that session runs."""
    calls = PruneCalls(settings, running)
    return {
        "list_old_transcripts": calls.list_old,
        "remove_transcripts": calls.remove,
        "prune_files": calls.files,
    }
