# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Agents of which a turn was not found on disk, until one of theirs is."""

from __future__ import annotations

from collections.abc import Mapping


class Unproved:
    """The agents that are degraded, and since when; the database holds the same."""

    def __init__(self) -> None:
        self._since: dict[str, float] = {}

    def load(self, since: Mapping[str, float]) -> None:
        """Take over what the database holds."""
        self._since = dict(since)

    def agents(self) -> Mapping[str, float]:
        """Return the agents, and since when."""
        return dict(self._since)

    def changes(self, agent: str, *, proved: bool) -> bool:
        """Return whether a turn with that proof changes what is stored."""
        return (agent in self._since) is proved

    def note(self, agent: str, *, proved: bool, now: float) -> None:
        """Note that the change was stored."""
        if proved:
            self._since.pop(agent, None)
        else:
            self._since.setdefault(agent, now)
