# Copyright: (c) 2026, The Agentkeep authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a deployment is now, as it was read from the host and the engine."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Mapping

from .file_plan import FoundFile
from .journal import Journal
from .plan import Found
from .release import Release, ReleaseIndex


@dataclass(frozen=True)
class Reading:
    """Hold everything that decisions are made from.

    ``images`` are the ids of the declared images by their reference, without those
    that the engine does not have. ``tokens`` are fresh random ones by path. Where
    another program makes containers, ``matches`` are their names by the declared one.
    """

    id: str | None = None
    found: Mapping[str, Found] = field(default_factory=dict)
    matches: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    images: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, FoundFile] = field(default_factory=dict)
    tokens: Mapping[str, bytes] = field(default_factory=dict, repr=False)
    environments: Mapping[str, str] = field(default_factory=dict, repr=False)
    compose: str | None = field(default=None, repr=False)
    index: ReleaseIndex = field(default_factory=ReleaseIndex)
    releases: Mapping[str, Release] = field(default_factory=dict)
    journal: Journal | None = None
    generated: tuple[str, ...] = ()

    @property
    def current(self) -> Release | None:
        """Return the release that was deployed last."""
        return self.releases.get(self.index.current or "")

    @property
    def previous(self) -> Release | None:
        """Return the release before the current one."""
        return self.releases.get(self.index.previous or "")
