# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""The presence of a host that shares its database with nobody."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field


@dataclass(frozen=True)
class OnlyHost:
    """One host with an instance of its own, and no other."""

    name: str
    instance: str = field(default_factory=lambda: str(uuid.uuid4()))
    alone: bool = True

    def lost(self) -> frozenset[str]:
        """Return nobody."""
        return frozenset()
