# Copyright: (c) 2026, The Agentkeep authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The state inventory: every entry, and what must hold between them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Iterable

from .._errors import InvalidInput, InvalidInventory
from .entry import Entry
from .nesting import finding_of, nesting_faults, refuse
from .refusal import refused


@dataclass(frozen=True)
class Inventory:
    """Hold the entries of a deployment in their declared order.

    ``findings`` say what is unsafe in a deployment that another program manages; in
    one of ours it is refused.
    """

    entries: tuple[Entry, ...]
    findings: tuple[str, ...] = ()

    @classmethod
    def from_params(cls, params: Any, managed: bool = True) -> Inventory:
        """Given the declared entries, return them; raise InvalidInventory."""
        if not isinstance(params, (list, tuple)):
            raise InvalidInventory(
                "Cannot use the state inventory",
                f"it is {params!r}",
                "Write it as a list of entries.",
            )
        entries = tuple(
            Entry.from_params(entry, position) for position, entry in enumerate(params)
        )
        _check_names(entries)
        _check_sources(entries)
        _check_within(entries)
        _check_targets(entries)
        faults = tuple(nesting_faults(entries))
        if managed and faults:
            refuse(*faults[0])
        return cls(
            entries=entries,
            findings=_findings(faults),
        )

    def entry(self, name: str) -> Entry | None:
        """Return the entry of that name, or None."""
        return next((entry for entry in self.entries if entry.name == name), None)

    def with_optional(self, included: Iterable[str]) -> Inventory:
        """Return the entries that are in use; raise InvalidInput on unknown names."""
        chosen = set(included)
        known = {entry.name for entry in self.entries if entry.optional}
        for name in sorted(chosen - known):
            raise InvalidInput(
                f'Cannot include entry "{name}"',
                "the state inventory has no optional entry of that name",
                f"Set include_optional to names out of: {', '.join(sorted(known))}.",
            )
        used = tuple(
            entry
            for entry in self.entries
            if not entry.optional or entry.name in chosen
        )
        _check_within(used)
        return replace(self, entries=used, findings=_findings(nesting_faults(used)))


def _findings(faults: Iterable[tuple[Entry, Entry]]) -> tuple[str, ...]:
    return tuple(
        f'entry "{entry.name}": {finding_of(entry, holder)}' for entry, holder in faults
    )


def _check_names(entries: tuple[Entry, ...]) -> None:
    seen: dict[str, int] = {}
    for position, entry in enumerate(entries):
        if entry.name in seen:
            raise refused(
                entry.name,
                f"number {position + 1} has the same name as "
                f"number {seen[entry.name] + 1}",
                "Rename one of them.",
            )
        seen[entry.name] = position


def _check_sources(entries: tuple[Entry, ...]) -> None:
    seen: dict[tuple[str, ...], str] = {}
    for entry in entries:
        key = (entry.scope, *_place_of(entry))
        if key in seen:
            raise refused(
                entry.name,
                f'it lies at the same place as entry "{seen[key]}": '
                f"{' '.join(_place_of(entry))}",
                "Give one of them another place.",
            )
        seen[key] = entry.name


def _place_of(entry: Entry) -> tuple[str, str]:
    if entry.source is not None:
        return ("source", entry.source)
    if entry.volume is not None:
        return ("volume", entry.volume)
    return ("within", str(entry.within))


def _check_within(entries: tuple[Entry, ...]) -> None:
    known = {entry.name: entry for entry in entries}
    for entry in entries:
        if entry.within is None:
            continue
        holder = known.get(entry.within)
        if holder is None:
            why = f'within names "{entry.within}", which is not in the inventory'
        elif holder.scope != "deployment":
            why = f'within names "{entry.within}", of which each agent has its own'
        elif holder.source is None:
            why = f'within names "{entry.within}", which is no directory'
        else:
            continue
        raise refused(
            entry.name,
            why,
            "Name an entry with scope deployment and a source that is in use.",
        )


def _check_targets(entries: tuple[Entry, ...]) -> None:
    seen: dict[str, list[tuple[str, str]]] = {}
    for entry in entries:
        for mount in entry.mounts:
            earlier = seen.setdefault(mount.component, [])
            for target, holder in earlier:
                _check_pair(entry.name, mount.component, mount.target, (target, holder))
            earlier.append((mount.target, entry.name))


def _check_pair(
    name: str, component: str, target: str, earlier: tuple[str, str]
) -> None:
    other, holder = earlier
    if other == target:
        raise refused(
            name,
            f'{component} already has a mount at "{target}", of entry "{holder}"',
            "Choose another target for one of them.",
        )
    if other.startswith(f"{target}/"):
        raise refused(
            name,
            f'its target "{target}" in {component} holds "{other}" of entry '
            f'"{holder}", which is listed before it and would be hidden',
            f'Move entry "{name}" before entry "{holder}".',
        )
