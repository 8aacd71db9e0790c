# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""What control may ask about the room that the agent's state takes."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Mapping

from agentd.agent.settings import AgentSettings
from agentd.spawner.dial import Call, CallFailed
from agentd.usage.areas import Measure, Places, measure
from agentd.usage.walk import Bounds

LONGEST_SECONDS = 60.0

Count = Callable[[Places, Bounds], Measure]


class UsageCalls:
    """Counts once at a time, beside the event loop."""

    def __init__(self, settings: AgentSettings, count: Count) -> None:
        self._places = places_of(settings)
        self._count = count
        self._counts = False

    async def measure(self, _given: Mapping[str, object]) -> Mapping[str, object]:
        """Return how many bytes and files each area has."""
        # Callers that gave up would else pile up behind a count that takes long.
        if self._counts:
            raise CallFailed("its state is counted already. Ask again in a minute.")
        stop = threading.Event()
        self._counts = True
        try:
            found = await asyncio.to_thread(
                self._count, self._places, Bounds(LONGEST_SECONDS, stop.is_set)
            )
        finally:
            # A thread cannot be cancelled, and would hold up the agent's end.
            stop.set()
            self._counts = False
        return found.for_output()


def places_of(settings: AgentSettings) -> Places:
    """Return where the agent's state lies."""
    return Places(
        working=settings.working_directory,
        config=settings.config_directory,
        skill_data=settings.skill_data_directory,
        definitions=settings.definition_work_directory,
        workdirs=settings.workdirs_directory,
    )


def usage_calls(settings: AgentSettings, count: Count = measure) -> Mapping[str, Call]:
    """Return the calls by name."""
    return {"measure_usage": UsageCalls(settings, count).measure}
