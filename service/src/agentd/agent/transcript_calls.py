# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""What control may ask about transcripts."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from pathlib import Path

from agentd.agent.settings import AgentSettings
from agentd.agent.start import is_uuid
from agentd.spawner.dial import Call, CallFailed
from agentd.transcripts.find import Places
from agentd.transcripts.listing import MAX_PAGE, list_sessions
from agentd.transcripts.repair import Repair, RepairRefused, repair
from agentd.transcripts.scan import scan_session
from agentd.transcripts.turn import turn_state

MAX_SESSIONS = 100
SCAN_SECONDS = 5.0
EXCHANGE_SECONDS = 10.0

Given = Mapping[str, object]


class TranscriptCalls:
    """Scans and repairs one transcript at a time, beside the event loop."""

    def __init__(self, settings: AgentSettings, running: Callable[[str], bool]) -> None:
        self._places = places_of(settings)
        self._running = running
        self._one_at_a_time = asyncio.Lock()

    async def scan(self, given: Given) -> Mapping[str, object]:
        """Judge the transcripts of some sessions.

        What there was no time for is named in ``left``, to be asked for again.
        """
        sessions = _sessions(given)
        found: dict[str, object] = {}
        end = time.monotonic() + SCAN_SECONDS
        async with self._one_at_a_time:
            for session in sessions:
                if found and time.monotonic() >= end:
                    break
                scan = await asyncio.to_thread(scan_session, self._places, session)
                running = self._running(session)
                found[session] = {**scan.for_output(), "running": running}
        return {"sessions": found, "left": sessions[len(found) :]}

    async def repair(self, given: Given) -> Mapping[str, object]:
        """Repair the transcript of a session that no CLI writes."""
        session = session_of(given)
        self._demand_quiet(session)
        async with self._one_at_a_time:
            return (await self._repair(session)).for_output()

    async def _repair(self, session: str) -> Repair:
        loop = asyncio.get_running_loop()

        def exchange(deed: Callable[[], None]) -> None:
            done: Future[None] = Future()
            # In the loop, which starts every CLI: none starts between look and deed.
            loop.call_soon_threadsafe(self._exchange, session, deed, done)
            wait_for(done, EXCHANGE_SECONDS)

        try:
            return await asyncio.to_thread(repair, self._places, session, exchange)
        except RepairRefused as error:
            raise CallFailed(str(error)) from error
        except OSError as error:
            raise CallFailed(
                f"Cannot repair the transcript of session {session}: {error.strerror}. "
                "Look at the room and the owners of the agent's memory."
            ) from error

    def _exchange(
        self, session: str, deed: Callable[[], None], done: Future[None]
    ) -> None:
        if not done.set_running_or_notify_cancel():
            return
        try:
            self._demand_quiet(session)
            deed()
        except (CallFailed, RepairRefused, OSError) as error:
            done.set_exception(error)
        else:
            done.set_result(None)

    def _demand_quiet(self, session: str) -> None:
        if self._running(session):
            raise CallFailed(
                f"Cannot repair the transcript of session {session}: "
                "a CLI of it runs. Wait until its conversation is idle."
            )

    async def list(self, given: Given) -> Mapping[str, object]:
        """List the sessions that have a transcript."""
        after, limit = given.get("after"), given.get("limit", MAX_PAGE)
        if not (after is None or is_uuid(after)):
            raise CallFailed("after has to be a UUID.")
        if not isinstance(limit, int) or isinstance(limit, bool) or limit < 1:
            raise CallFailed("limit has to be a number above 0.")
        rows, following = await asyncio.to_thread(
            list_sessions,
            self._places,
            None if after is None else str(after),
            min(limit, MAX_PAGE),
        )
        return {"sessions": [row.for_output() for row in rows], "next": following}

    async def turn(self, given: Given) -> Mapping[str, object]:
        """Return what is on disk of a turn."""
        session, message = session_of(given), given.get("message_uuid")
        if not is_uuid(message):
            raise CallFailed("message_uuid has to be a UUID.")
        # Before the look: a CLI that ends meanwhile has written all it will.
        running = self._running(session)
        state = await asyncio.to_thread(turn_state, self._places, session, str(message))
        return state.for_output(running=running)


def wait_for(done: Future[None], seconds: float) -> None:
    """Wait for the last step; one that began is waited for until it ends.

    Else the damaged file would be given up while the new one takes its place.
    """
    try:
        done.result(seconds)
    except TimeoutError as error:
        if done.cancel():
            raise RepairRefused("the agent is stopping. Try again.") from error
        done.result()


def places_of(settings: AgentSettings) -> Places:
    """Return where the agent's transcripts lie."""
    return Places(
        Path(settings.config_directory),
        Path(settings.working_directory),
        Path(settings.definition_work_directory),
        Path(settings.workdirs_directory),
    )


def session_of(given: Given) -> str:
    """Return the session that a call is about; raise CallFailed."""
    session = given.get("session_id")
    if not is_uuid(session):
        raise CallFailed("session_id has to be a UUID.")
    return str(session)


def _sessions(given: Given) -> list[str]:
    sessions = given.get("session_ids")
    if not isinstance(sessions, list) or not all(is_uuid(one) for one in sessions):
        raise CallFailed("session_ids has to be a list of UUIDs.")
    if len(sessions) > MAX_SESSIONS:
        raise CallFailed(f"session_ids holds more than {MAX_SESSIONS}.")
    return list(dict.fromkeys(str(one) for one in sessions))


def transcript_calls(
    settings: AgentSettings,
    running: Callable[[str], bool],
) -> Mapping[str, Call]:
    """Return the calls by name; running says whether a CLI of that session runs."""
    calls = TranscriptCalls(settings, running)
    return {
        "scan_transcripts": calls.scan,
        "repair_transcript": calls.repair,
        "list_transcripts": calls.list,
        "turn_state": calls.turn,
    }
