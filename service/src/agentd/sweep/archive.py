# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""The one place where what is removed could be kept first.

No backup repository can be declared yet: nothing is archived, and a sweep says so
nowhere but in its documentation.
"""

from __future__ import annotations

from typing import Protocol

from agentd.sweep.values import Candidate


class Archive(Protocol):
    """Keeps what is about to be removed."""

    async def keep(self, candidate: Candidate) -> None:
        """Keep it; raise an error of ours, and it is not removed."""
