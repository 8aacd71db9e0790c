# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""Structured log lines of the agent side, in control's form, with no package."""

from __future__ import annotations

import datetime
import json
import sys
from typing import TextIO

from agentd.agent.settings import LOG_LEVELS


class Log:
    """Writes one JSON line for each event at or above the level."""

    def __init__(self, agent: str, level: str, stream: TextIO | None = None) -> None:
        self._agent = agent
        self._lowest = LOG_LEVELS.index(level)
        self._stream = stream if stream is not None else sys.stderr

    def event(self, level: str, event: str, **data: object) -> None:
        """Write an event with its data."""
        if LOG_LEVELS.index(level) < self._lowest:
            return
        now = datetime.datetime.now(datetime.UTC)
        line = {
            "component": "agent",
            "agent": self._agent,
            **data,
            "event": event,
            "level": level,
            "timestamp": now.isoformat().replace("+00:00", "Z"),
        }
        print(json.dumps(line, default=str), file=self._stream, flush=True)
