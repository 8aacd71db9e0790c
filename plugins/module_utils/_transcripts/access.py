# Copyright: (c) 2026, The Agentkeep authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether the user of a container can read a file, and append to it."""

from __future__ import annotations

from dataclasses import dataclass

from .._state.identity import Identity

READ, APPEND, SEARCH = 4, 2, 1


@dataclass(frozen=True)
class Permissions:
    """Hold the owner, the group and the mode of a file or a directory."""

    uid: int
    gid: int
    mode: int


def may(identity: Identity | None, found: Permissions, what: int) -> bool:
    """Return whether that user has the permission; yes where it is not known.

    What an access control list or a capability grants or takes is not seen.
    """
    if identity is None or identity.uid == 0:
        return True
    if identity.uid == found.uid:
        return bool((found.mode >> 6) & what)
    if identity.gid == found.gid:
        return bool((found.mode >> 3) & what)
    return bool(found.mode & what)
