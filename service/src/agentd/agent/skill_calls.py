# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""The calls by which control has an agent's skills synced and listed."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Mapping

from agentd.agent.settings import AgentSettings
from agentd.skills.sync import SkillsReport, places_of, sync_skills
from agentd.spawner.dial import Call


class SkillCalls:
    """Syncs one at a time, and remembers the last report."""

    def __init__(self, settings: AgentSettings, booted: SkillsReport | None) -> None:
        self._settings = settings
        self._last = booted or SkillsReport()
        self._next = asyncio.Lock()
        # A sync goes on when its call is given up: the next waits in its own thread.
        self._one_at_a_time = threading.Lock()

    async def sync(self, _given: Mapping[str, object]) -> Mapping[str, object]:
        """Sync now, and return the report."""
        async with self._next:
            report = await asyncio.to_thread(self._sync)
        return report.for_output()

    async def last(self, _given: Mapping[str, object]) -> Mapping[str, object]:
        """Return the last report; nothing is synced."""
        return self._last.for_output()

    def _sync(self) -> SkillsReport:
        with self._one_at_a_time:
            places = places_of(self._settings)
            self._last = sync_skills(places, self._settings.skills, lambda _step: None)
            return self._last


def skill_calls(
    settings: AgentSettings, booted: SkillsReport | None = None
) -> Mapping[str, Call]:
    """Return the calls by name; booted is the report of the sync at boot."""
    calls = SkillCalls(settings, booted)
    return {"sync_skills": calls.sync, "skills": calls.last}
