# Copyright: (c) 2026, The Agentkeep authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What an operator changes of the entries that a profile declares."""

from __future__ import annotations

from typing import Any, Mapping

from .._errors import InvalidInput

KEYS = ("mode", "access", "backup")


def adjusted(inventory: Any, adjustments: Mapping[str, Any]) -> Any:
    """Return the declared entries with their adjustments; raise InvalidInput."""
    if not isinstance(inventory, (list, tuple)):
        return inventory
    known = [one.get("name") for one in inventory if isinstance(one, Mapping)]
    for name, change in adjustments.items():
        _check(name, change, known)
    return [
        _adjusted(one, adjustments[one["name"]])
        if isinstance(one, Mapping) and one.get("name") in adjustments
        else one
        for one in inventory
    ]


def _adjusted(entry: Mapping[str, Any], change: Mapping[str, Any]) -> dict[str, Any]:
    given = {key: value for key, value in change.items() if value is not None}
    access = given.pop("access", None)
    if access is not None:
        given["mounts"] = [
            {**mount, "access": access} if isinstance(mount, Mapping) else mount
            for mount in entry.get("mounts") or ()
        ]
    return {**entry, **given}


def _check(name: str, change: Any, known: list[Any]) -> None:
    why = None
    if name not in known:
        why = "the state inventory has no entry of that name"
    elif not isinstance(change, Mapping):
        why = f"its adjustment is {change!r}"
    elif set(change) - set(KEYS):
        why = f'it cannot change "{min(map(str, set(change) - set(KEYS)))}"'
    if why:
        raise InvalidInput(
            f'Cannot adjust entry "{name}"',
            why,
            f"Set adjustments to names of entries, each with {', '.join(KEYS)}.",
        )
