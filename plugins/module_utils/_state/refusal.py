# Copyright: (c) 2026, The Agentkeep authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How an entry of the state inventory is refused."""

from __future__ import annotations

from .._errors import InvalidInventory
from .names import shown


def refused(entry: str, why: str, remedy: str) -> InvalidInventory:
    """Return the error for an entry, given by name or by number."""
    return InvalidInventory(
        f'Cannot use entry "{shown(entry)}" of the state inventory', why, remedy
    )
