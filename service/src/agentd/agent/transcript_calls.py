# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""What control may ask about transcripts."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from agentd.agent.settings import AgentSettings
from agentd.spawner.dial import Call


def transcript_calls(
    settings: AgentSettings,
    running: Callable[[str], bool],
) -> Mapping[str, Call]:
    """Return the calls by name."""
    return {}
