# Copyright: (c) 2026, The Agentkeep authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What was refused inside a container, as much of it as fits into one answer."""

from __future__ import annotations

import stat
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from .task import MOST_FAULTS, Place

if TYPE_CHECKING:
    import os


@dataclass(frozen=True)
class Refusal:
    """Hold the step that was refused and the system's error number, 0 for none."""

    step: str
    number: int = 0


@dataclass(frozen=True)
class Spot:
    """Hold what was tried: its kind, its path, and the place that it lies in."""

    subject: str
    place: Place
    path: str
    session: str | None = None


@dataclass
class Notes:
    """Collect refusals; count those for which there is no room."""

    faults: list[dict[str, Any]] = field(default_factory=list)
    more: int = 0

    def add(self, spot: Spot, refusal: Refusal, found: os.stat_result | None) -> None:
        """Note a refusal, with the owner and mode of what refused."""
        if len(self.faults) >= MOST_FAULTS:
            self.more += 1
            return
        self.faults.append(
            {
                "subject": spot.subject,
                "entry": spot.place.entry,
                "path": spot.path,
                "step": refusal.step,
                "errno": refusal.number,
                "session": spot.session,
                "owner": None if found is None else [found.st_uid, found.st_gid],
                "mode": None if found is None else stat.S_IMODE(found.st_mode),
            }
        )
