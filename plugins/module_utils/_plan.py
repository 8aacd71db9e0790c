# Copyright: (c) 2026, The Agentkeep authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a module is about to do, as one frozen value."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Mapping

NOTHING = "none"


@dataclass(frozen=True)
class Plan:
    """Hold an action, whether it changes anything, and what it looks like."""

    action: str
    changed: bool
    before: Mapping[str, Any] = field(default_factory=dict)
    after: Mapping[str, Any] = field(default_factory=dict)
    reasons: tuple[str, ...] = ()
    steps: tuple[Any, ...] = ()
    output: Mapping[str, Any] = field(default_factory=dict)
