# Copyright: (c) 2026, The Agentkeep authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is done to have the declared definitions, and no more."""

from __future__ import annotations

from typing import Any, Mapping

from .._plan import NOTHING, Plan
from .values import Change, Content, FoundFile, Item, Order, Reading

SHOWN_CHARACTERS = 12


def plan_definitions(current: Reading | None, order: Order) -> Plan:
    """Given what is there and what is declared, return the plan.

    What is not declared stays, unless it is to be purged.
    """
    reading = current or Reading({}, laid_out=False)
    changes = tuple(_changes(reading, order))
    output: dict[str, Any] = {
        "changes": [one.for_output() for one in changes],
        "counts": _counts(changes, order),
        "unmanaged": _unmanaged(reading, order),
        "warnings": [],
    }
    differs = bool(changes or reading.leftovers)
    return Plan(
        action="put" if differs else NOTHING,
        changed=differs,
        before={
            f"{one.kind}/{one.name}": _shown(reading.found.get(_place(one)))
            for one in changes
        },
        after={f"{one.kind}/{one.name}": _wanted(one.item) for one in changes},
        reasons=tuple(
            f"{one.kind}/{one.name} has to be {one.action}" for one in changes
        )
        + tuple(
            f"{one} was left by a run that was cut off" for one in reading.leftovers
        ),
        steps=changes,
        output=output,
    )


def _changes(reading: Reading, order: Order) -> list[Change]:
    found = []
    for item in order.items:
        action = _action(item, reading.found.get(item.place), order.owner)
        if action is not None:
            found.append(Change(action, item.kind, item.name, item))
    if order.purge:
        for place in _unmanaged(reading, order):
            kind, name = place.split("/", 1)
            found.append(Change("removed", kind, name))
    return found


def _action(
    item: Item, found: Mapping[str, FoundFile] | None, owner: tuple[int, int]
) -> str | None:
    if item.files is None:
        return None if found is None else "removed"
    if found is None:
        return "created"
    same = set(found) == set(item.files) and all(
        _same(found[path], one, owner) for path, one in item.files.items()
    )
    return None if same else "changed"


def _same(found: FoundFile, wanted: Content, owner: tuple[int, int]) -> bool:
    return (found.digest, found.mode, found.owner) == (
        wanted.digest,
        wanted.mode,
        owner,
    )


def _unmanaged(reading: Reading, order: Order) -> list[str]:
    declared = {item.place for item in order.items}
    return sorted(set(reading.found) - declared)


def _counts(changes: tuple[Change, ...], order: Order) -> dict[str, int]:
    counts = {"created": 0, "changed": 0, "removed": 0}
    for change in changes:
        counts[change.action] += 1
    touched = {(one.kind, one.name) for one in changes}
    left = [one for one in order.items if (one.kind, one.name) not in touched]
    return {**counts, "unchanged": len(left)}


def _place(change: Change) -> str:
    return f"{change.kind}/{change.name}"


def _shown(found: Mapping[str, FoundFile] | None) -> Any:
    if found is None:
        return None
    return {
        path: f"{one.mode:04o} {(one.digest or 'no file')[:SHOWN_CHARACTERS]}"
        for path, one in sorted(found.items())
    }


def _wanted(item: Item | None) -> Any:
    if item is None or item.files is None:
        return None
    return {
        path: f"{one.mode:04o} {one.digest[:SHOWN_CHARACTERS]}"
        for path, one in sorted(item.files.items())
    }
