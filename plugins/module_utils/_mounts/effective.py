# Copyright: (c) 2026, The Agentkeep authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The one list of mounts that everything else is derived from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Iterable, Iterator

from .._state.deployment import Agent, Deployment
from .._state.entry import Entry
from .mount import BUILT_IN, EffectiveMount, RefusedMount


@dataclass(frozen=True)
class MountList:
    """Hold every mount of a deployment, what was refused, and what to warn of."""

    mounts: tuple[EffectiveMount, ...]
    refused: tuple[RefusedMount, ...] = ()
    warnings: tuple[str, ...] = ()

    def of(self, component: str, agent: str | None) -> tuple[EffectiveMount, ...]:
        """Return the mounts of one container, parents before what lies in them."""
        return tuple(
            mount
            for mount in self.mounts
            if mount.component == component and mount.agent == agent
        )


def mounts_of(deployment: Deployment) -> MountList:
    """Given a deployment, return its mounts, parents before what lies in them (B05)."""
    return MountList(mounts=in_order(built_in(deployment)))


def built_in(deployment: Deployment) -> Iterator[EffectiveMount]:
    """Yield the mounts that the state inventory declares, in its order."""
    for entry in deployment.inventory.entries:
        yield from _mounts_of_entry(deployment, entry)


def in_order(mounts: Iterable[EffectiveMount]) -> tuple[EffectiveMount, ...]:
    """Return the mounts with every parent before its children, else as they were."""
    found = list(mounts)
    position = {mount: number for number, mount in enumerate(found)}
    together: dict[tuple[str, str | None], list[EffectiveMount]] = {}
    for mount in found:
        together.setdefault((mount.component, mount.agent), []).append(mount)

    def place(mount: EffectiveMount) -> tuple[int, int]:
        holders = [
            position[other]
            for other in together[mount.component, mount.agent]
            if mount.target.startswith(f"{other.target}/")
        ]
        return (max([position[mount], *holders]), mount.target.count("/"))

    return tuple(sorted(found, key=place))


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
            for agent, path in deployment.located(entry)
        ]
    holders: list[Agent | None] = [None]
    if entry.scope == "agent":
        holders = list(deployment.agents)
    return [(agent, deployment.volume(entry, agent)) for agent in holders]


def _mounts_of_entry(deployment: Deployment, entry: Entry) -> Iterator[EffectiveMount]:
    sources = _sources(deployment, entry)
    for mount in entry.mounts:
        for holder, source in sources:
            uid, gid = deployment.ids(entry, holder)
            for agent in _seen_by(deployment, mount.component, holder):
                yield EffectiveMount(
                    component=mount.component,
                    agent=agent,
                    entry=entry.name,
                    type="bind" if entry.volume is None else "volume",
                    source=source,
                    target=mount.target,
                    requested=mount.access,
                    effective=mount.access,
                    origin=BUILT_IN,
                    reason="the state inventory declares it",
                    purpose=entry.purpose,
                    uid=uid if entry.volume is None else None,
                    gid=gid if entry.volume is None else None,
                    mode=entry.mode if entry.volume is None else None,
                )


def _seen_by(
    deployment: Deployment, component: str, holder: Agent | None
) -> list[str | None]:
    if component != "agent":
        return [None]
    if holder is not None:
        return [holder.name]
    return [agent.name for agent in deployment.agents]
