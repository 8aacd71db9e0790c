# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Old files of one agent: saved work, transcripts of no conversation, the CLI's own."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from agentd.database.sessions import session_ids
from agentd.database.sweeps import known_since
from agentd.errors import AgentdError
from agentd.sweep.agent_side import AgentSide, OldTranscript
from agentd.sweep.parts import SweepParts
from agentd.sweep.values import AskedBy, Candidate, Tally

DAY_SECONDS = 86_400.0
HOUR_SECONDS = 3600.0
# An agent's side that answers for ever keeps its sweep no longer than that.
AGENT_SECONDS = 1800.0
# Else all of its transcripts would be those of no conversation.
SET_ASIDE = (
    "Transcripts stay: a damaged database lies beside the one in use ({names}), and "
    "may know of them. Restore it, or move it away."
)

# An old one may have been lost, and be restored as soon as somebody sees it.
YOUNG = (
    'Old transcripts of agent "{agent}" stay: the database is younger than they are, '
    "and cannot know whose they were. Restore the one that was lost, or have them "
    "removed with POST /sweep."
)


@dataclass(frozen=True)
class FilesStep:
    """Removes an agent's old files; what one part cannot do stops no other."""

    parts: SweepParts
    tally: Tally
    agent: str
    asked_by: AskedBy = "request"

    async def run(self) -> None:
        """Remove what is too old."""
        side = AgentSide(self.parts.spawner, self.agent)
        if not side.connected:
            self.tally.skip(
                f'Agent "{self.agent}" is not connected: its old files stay until the '
                "next sweep. Start its container."
            )
            return
        for what, step in (
            ("saved work", self._recovered),
            ("transcripts", self._transcripts),
            ("old files", self._files),
        ):
            try:
                async with asyncio.timeout(AGENT_SECONDS):
                    await step(side)
            except (AgentdError, TimeoutError) as error:
                why = str(error) or f"it took longer than {AGENT_SECONDS:g} s"
                self.tally.skip(f'Cannot sweep {what} of agent "{self.agent}": {why}')

    async def _recovered(self, side: AgentSide) -> None:
        seconds = self.parts.settings.recovery_hours * HOUR_SECONDS
        count = await side.sweep_recovered(seconds, self.tally.dry_run)
        self.tally.counts.recovered += count
        if count:
            self.tally.note(
                Candidate(kind="recovered", reason="age", agent=self.agent, count=count)
            )

    async def _transcripts(self, side: AgentSide) -> None:
        if aside := self.parts.database.set_aside():
            self.tally.skip(SET_ASIDE.format(names=", ".join(aside)))
            return
        seconds = self.parts.settings.transcript_ttl_days * DAY_SECONDS
        is_young = self.asked_by == "interval" and await self._is_young(seconds)
        async for page in side.old_transcripts(seconds):
            # Asked anew for each page: a session may have got a conversation (I09).
            async with self.parts.database.read() as connection:
                known = await session_ids(connection, self.agent)
            old = [one for one in page if one.session_id not in known]
            if is_young and old:
                self.tally.skip(YOUNG.format(agent=self.agent), len(old))
                continue
            if old := [one for one in old if await self._archived(one)]:
                await self._remove(side, old)

    async def _is_young(self, seconds: float) -> bool:
        async with self.parts.database.read() as connection:
            since = await known_since(connection)
        return since is None or since > self.parts.clock.now() - seconds

    async def _remove(self, side: AgentSide, old: list[OldTranscript]) -> None:
        removed = await side.remove_transcripts(old, self.tally.dry_run)
        self.tally.counts.transcripts += len(removed.ids)
        self.tally.counts.bytes += removed.bytes
        for one in old:
            if one.session_id in removed.ids:
                self.tally.note(self._candidate(one))
        if left := len(old) - len(removed.ids):
            self.tally.skip(
                f'Transcripts of agent "{self.agent}" were in use, or could not be '
                "removed. They stay until the next sweep.",
                left,
            )

    async def _archived(self, one: OldTranscript) -> bool:
        if self.parts.archive is not None and not self.tally.dry_run:
            try:
                await self.parts.archive.keep(self._candidate(one))
            except AgentdError as error:
                self.tally.skip(error)
                return False
        return True

    def _candidate(self, one: OldTranscript) -> Candidate:
        return Candidate(
            kind="transcript",
            reason="age",
            agent=self.agent,
            name=one.session_id,
            bytes=one.bytes,
        )

    async def _files(self, side: AgentSide) -> None:
        settings = self.parts.settings
        ages = {
            "debug": settings.debug_ttl_days * DAY_SECONDS,
            "todos": settings.todos_ttl_days * DAY_SECONDS,
            "telemetry": settings.telemetry_ttl_days * DAY_SECONDS,
            "logs": settings.logs_ttl_days * DAY_SECONDS,
        }
        for one in await side.prune_files(ages, self.tally.dry_run):
            self.tally.counts.files += one.files
            self.tally.counts.bytes += one.bytes
            if one.files:
                self.tally.note(
                    Candidate(
                        kind="file",
                        reason="age",
                        agent=self.agent,
                        name=one.area,
                        count=one.files,
                        bytes=one.bytes,
                    )
                )
            if one.failed:
                self.tally.skip(
                    f'Old files in "{one.area}" of agent "{self.agent}" could not be '
                    "removed. Look at their owners.",
                    one.failed,
                )
