# Copyright: (c) 2026, The Agentkeep authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whose files and directories a run relies on."""

from __future__ import annotations

import os

from .._errors import UnsafePath

FORGED = "Find out who put it there, then remove it, or give it to root (chown root)."


def is_trusted(owner: int) -> bool:
    """Return whether what belongs to that uid is out of the reach of agents."""
    return owner in (0, os.geteuid())


def demand_trusted(owner: int, path: str, remedy: str) -> None:
    """Given the owner of what a run relies on, raise UnsafePath if it is not root."""
    if not is_trusted(owner):
        raise UnsafePath(
            f'Cannot trust "{path}"',
            f"it belongs to uid {owner}, who could have written anything there",
            remedy,
        )
