# Copyright: (c) 2026, The Agentkeep authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is tried inside one container, and how much of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Mapping

# Twice what the CLI writes in the first turn of a conversation.
TURN_BYTES = 256 * 1024
PLACE_BYTES = 4096
# Newest first; known sessions are looked at whatever their age.
MOST_TRANSCRIPTS = 2_000
MOST_PROJECTS = 1_000
MOST_NAMES = 100_000
MOST_FAULTS = 100


@dataclass(frozen=True)
class Place:
    """Hold a directory inside a container: a mount, and the way below it.

    ``device`` and ``inode`` are those of the mount's source on the host, None if it
    has none there.
    """

    entry: str | None
    mount: str
    below: tuple[str, ...] = ()
    device: int | None = None
    inode: int | None = None

    @property
    def path(self) -> str:
        """Return the path in the container."""
        return "/".join((self.mount, *self.below))


@dataclass(frozen=True)
class Task:
    """Hold everything that is tried in one container.

    ``transcripts`` is where the CLI keeps its projects, ``sessions`` maps each session
    that must be there to its conversation.
    """

    places: tuple[Place, ...] = ()
    transcripts: Place | None = None
    temporary: str | None = None
    sessions: Mapping[str, str] = field(default_factory=dict)
