# Copyright: (c) 2026, The Agentkeep authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the host says of a path, as values; the edge that asks is _files/host_paths."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

STICKY = 0o1000
SHARED = 0o022


@dataclass(frozen=True)
class Passed:
    """Hold a directory that a path led through, and who owns what was looked up.

    ``nameless`` are those of the three ids that this host has no name for: most likely
    those of a container, of whichever deployment.
    """

    path: str
    uid: int
    gid: int
    mode: int
    child_uid: int
    nameless: tuple[str, ...] = ()


@dataclass(frozen=True)
class FoundPath:
    """Hold where a path really leads.

    ``kind`` is directory, file, other or missing; ``way`` is every directory that was
    passed on the way, those of links included.
    """

    requested: str
    resolved: str
    kind: str
    uid: int = 0
    gid: int = 0
    mode: int = 0
    way: tuple[Passed, ...] = ()
    fault: str = ""

    @property
    def exists(self) -> bool:
        """Return whether something lies there."""
        return self.kind != "missing"


@dataclass(frozen=True)
class HostFacts:
    """Hold what must stay out of mounts on this host, besides what is always so.

    ``homes`` are the home directories of root and of people, ``user`` is who asks.
    """

    homes: tuple[str, ...] = ("/root",)
    user: int = 0


class Host(Protocol):
    """Answer what a decision about mounts must know of the host."""

    def resolve(self, path: str) -> FoundPath:
        """Return where a path really leads."""

    def read(self, path: str, limit_bytes: int) -> str:
        """Return the text of a file; raise OSError or ValueError."""

    def facts(self) -> HostFacts:
        """Return what is true of the whole host."""
