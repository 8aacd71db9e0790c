# Copyright: (c) 2026, The Agentkeep authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The mounts that the containers of a deployment get."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Iterator

from .._state.deployment import Agent, Deployment
from .._state.entry import Entry


@dataclass(frozen=True)
class EffectiveMount:
    """Hold one mount of one container."""

    component: str
    agent: str | None
    entry: str
    type: str
    source: str
    target: str
    access: str
    purpose: str

    def for_output(self) -> dict[str, Any]:
        """Return the mount for the module's result."""
        return {
            "component": self.component,
            "agent": self.agent,
            "entry": self.entry,
            "type": self.type,
            "source": self.source,
            "target": self.target,
            "access": self.access,
            "purpose": self.purpose,
        }


def mounts_of(deployment: Deployment) -> tuple[EffectiveMount, ...]:
    """Given a deployment, return every mount, in the inventory's order."""
    return tuple(
        mount
        for entry in deployment.inventory.entries
        for mount in _mounts_of_entry(deployment, entry)
    )


def directories_of(deployment: Deployment) -> dict[str, dict[str, str]]:
    """Given a deployment, return for each entry its path on the host, by agent."""
    return {
        entry.name: {
            agent.name if agent else "": source
            for agent, source in _sources(deployment, entry)
        }
        for entry in deployment.inventory.entries
        if entry.volume is None
    }


def _sources(deployment: Deployment, entry: Entry) -> list[tuple[Agent | None, str]]:
    if entry.volume is None:
        return [
            (agent, f"{deployment.data_root}/{path}")
            for agent, path in deployment.places(entry)
        ]
    holders: list[Agent | None] = [None]
    if entry.scope == "agent":
        holders = list(deployment.agents)
    return [(agent, deployment.volume(entry, agent)) for agent in holders]


def _mounts_of_entry(deployment: Deployment, entry: Entry) -> Iterator[EffectiveMount]:
    sources = _sources(deployment, entry)
    for mount in entry.mounts:
        for holder, source in sources:
            for agent in _seen_by(deployment, mount.component, holder):
                yield EffectiveMount(
                    component=mount.component,
                    agent=agent,
                    entry=entry.name,
                    type="bind" if entry.volume is None else "volume",
                    source=source,
                    target=mount.target,
                    access=mount.access,
                    purpose=entry.purpose,
                )


def _seen_by(
    deployment: Deployment, component: str, holder: Agent | None
) -> list[str | None]:
    if component != "agent":
        return [None]
    if holder is not None:
        return [holder.name]
    return [agent.name for agent in deployment.agents]
