# Copyright: (c) 2026, The Agentkeep authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What must hold between a deployment's containers, and between their directories."""

from __future__ import annotations

from typing import TYPE_CHECKING, Iterator

from .._errors import InvalidInput
from .entry import Entry
from .nesting import refuse, risk_of
from .refusal import refused

if TYPE_CHECKING:
    from .deployment import Deployment


def check_components(deployment: Deployment) -> None:
    """Raise InvalidInventory where an entry names a component that is not declared."""
    known = {"agent", *deployment.components}
    for entry in deployment.inventory.entries:
        for name in [*(one.component for one in entry.mounts), *entry.owner.components]:
            if name not in known:
                raise refused(
                    entry.name,
                    f'it names the component "{name}", which is not declared',
                    f'Add "{name}" with its uid to components, or correct the entry.',
                )


def check_apart(deployment: Deployment) -> None:
    """Raise InvalidInput where two containers could be mistaken for one another."""
    names: set[str] = set()
    for agent in deployment.agents:
        if agent.name in names:
            raise InvalidInput(
                f'Cannot use agent "{agent.name}"',
                "it is declared twice",
                "Rename or remove one of them.",
            )
        names.add(agent.name)
    if not deployment.managed:
        return
    labelled = list(deployment.components.items())
    labelled += [(f'agent "{one.name}"', one.identity) for one in deployment.agents]
    for kind in ("uid", "gid"):
        _check_ids(kind, [(label, getattr(one, kind)) for label, one in labelled])


def check_paths(deployment: Deployment) -> None:
    """Raise InvalidInput where a managed deployment's places are not its own."""
    if not deployment.managed:
        return
    located = list(_located(deployment))
    places: dict[str, Entry] = {}
    for entry, path in located:
        if not path.startswith(f"{deployment.name}/"):
            raise InvalidInput(
                f'Cannot lay out "{path}"',
                f'entry "{entry.name}" lies outside the directory of deployment '
                f'"{deployment.name}"',
                'Begin the templates of places with "{deployment}/".',
            )
        if path in places:
            raise InvalidInput(
                f'Cannot lay out "{path}"',
                f'entry "{places[path].name}" and entry "{entry.name}" both lie there',
                'Give one another source, and "{agent}" to the templates of places '
                "that each agent has its own of.",
            )
        places[path] = entry
    for entry, path in located:
        holder = risk_of(_above(places, path)) if entry.mounts else None
        if holder is not None:
            refuse(entry, holder)


def _located(deployment: Deployment) -> Iterator[tuple[Entry, str]]:
    for entry in deployment.inventory.entries:
        if entry.volume is None:
            for _agent, path in deployment.located(entry):
                yield entry, path


def _above(places: dict[str, Entry], path: str) -> Iterator[Entry]:
    above = path.rpartition("/")[0]
    while above:
        if above in places:
            yield places[above]
        above = above.rpartition("/")[0]


def _check_ids(kind: str, labelled: list[tuple[str, int]]) -> None:
    holders: dict[int, str] = {}
    for label, number in labelled:
        if number in holders:
            raise InvalidInput(
                f"Cannot keep {label} apart from {holders[number]}",
                f"both have the {kind} {number}",
                f"Give each of them a {kind} of its own.",
            )
        holders[number] = label
