# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""After a start, each agent judges the transcripts that conversations rely on.

What does not resume is in the log before anybody speaks to it, and what is damaged is
repaired by the agent's side, with the original beside. An answer from an agent's
container finds faults, not lies.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence

from agentd.conversations.parts import TurnParts
from agentd.database.sessions import KnownSession, list_sessions
from agentd.errors import AgentdError, AgentLost, AgentUnavailable
from agentd.log import get_log
from agentd.sessions.scans import DAMAGED, VERDICTS, ToldScan, read_scan

ABSENT_PAUSE_SECONDS = 0.25
# Turns come first: the agent's side has its cores for them in between.
PAUSE_SECONDS = 0.1
CALL_SECONDS = 60.0
AT_ONCE = 20
MAX_SESSIONS = 2000

log = get_log("boot_scan")


class BootScan:
    """Asks each agent once about the sessions that were proved on its disk."""

    def __init__(self, parts: TurnParts, *, repairs: bool) -> None:
        self._database = parts.database
        self._spawner = parts.spawner
        self._host = parts.host.name
        self._alone = parts.host.alone
        self._repairs = repairs

    async def run(self) -> None:
        """Ask every agent as soon as it is connected; end when all were asked."""
        async with asyncio.TaskGroup() as tasks:
            for agent in sorted(self._spawner.states()):
                tasks.create_task(self._run(agent), name=f"boot scan {agent}")

    async def _run(self, agent: str) -> None:
        try:
            async with self._database.read() as connection:
                known = await list_sessions(
                    connection, limit=MAX_SESSIONS, offset=0, agent=agent
                )
            counts = await self._scan(
                agent, [one for one in known if self._relies(one)]
            )
        except AgentdError as error:
            log.warning("sessions_not_scanned", agent=agent, error=str(error))
            return
        if counts:
            log.info("sessions_scanned", agent=agent, **counts)

    def _relies(self, known: KnownSession) -> bool:
        """Return whether the session is to be on the disk of this host's agent."""
        return known.session.durable and (
            self._alone or known.host in {None, self._host}
        )

    async def _scan(
        self, agent: str, known: Sequence[KnownSession]
    ) -> Mapping[str, int]:
        counts: Counter[str] = Counter()
        left = {one.session.session_id: one for one in known}
        while left:
            asked = list(left)[:AT_ONCE]
            told = await self._ask(agent, asked)
            if told is None:
                await asyncio.sleep(ABSENT_PAUSE_SECONDS)
                continue
            # Each round takes at least one away, whatever the agent's side says.
            for session_id in [one for one in asked if one in told] or asked[:1]:
                one, scan = left.pop(session_id), read_scan(told.get(session_id))
                _tell(one, scan)
                counts[scan.verdict] += 1
                counts["repaired"] += await self._repair(one, scan)
            await asyncio.sleep(PAUSE_SECONDS)
        return +counts

    async def _repair(self, known: KnownSession, scan: ToldScan) -> bool:
        """Have a damaged transcript repaired; return whether it was."""
        # What is being written is no more whole a moment later: a turn has it.
        if not self._repairs or scan.verdict != DAMAGED or scan.running:
            return False
        about = {"agent": known.agent, "session": known.session.session_id}
        try:
            answer = await self._spawner.call(
                known.agent,
                "repair_transcript",
                {"session_id": known.session.session_id},
                timeout_seconds=CALL_SECONDS,
            )
        except AgentdError as error:
            log.warning("session_not_repaired", error=str(error), **about)
            return False
        repaired = answer.get("repaired") is True
        verdict = read_scan(answer).verdict
        log.warning(
            "session_repaired" if repaired else "session_not_repaired",
            verdict=verdict,
            **about,
        )
        return repaired

    async def _ask(
        self, agent: str, asked: Sequence[str]
    ) -> Mapping[str, object] | None:
        """Return what the agent's side says, or None while it is not there."""
        state = self._spawner.states().get(agent)
        if state is None or not state.connected:
            return None
        try:
            answer = await self._spawner.call(
                agent,
                "scan_transcripts",
                {"session_ids": list(asked)},
                timeout_seconds=CALL_SECONDS,
            )
        except (AgentUnavailable, AgentLost):
            return None
        told = answer.get("sessions")
        return told if isinstance(told, dict) else {}


def _tell(known: KnownSession, scan: ToldScan) -> None:
    """Log what is wrong with a session."""
    if scan.verdict in VERDICTS - {"sound"} and not scan.running:
        log.warning(
            "session_damaged" if scan.resumable else "session_does_not_resume",
            agent=known.agent,
            conversation=known.conversation_id,
            session=known.session.session_id,
            verdict=scan.verdict,
            faults=scan.kinds,
        )
