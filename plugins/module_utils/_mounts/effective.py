# Copyright: (c) 2026, The Agentkeep authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The one list of mounts that everything else is derived from."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Iterable, Iterator, Mapping

from .._errors import MountRefused
from .._state.deployment import Agent, Deployment
from .._state.entry import Entry
from .guarded import is_within
from .host import Host
from .mount import OPERATOR, EffectiveMount, RefusedMount
from .operator import OperatorMounts, operator_mounts


@dataclass(frozen=True)
class MountList:
    """Hold every mount of a deployment, what was refused, and what to warn of."""

    mounts: tuple[EffectiveMount, ...]
    refused: tuple[RefusedMount, ...] = ()
    warnings: tuple[str, ...] = ()

    def of(self, component: str, agent: str | None) -> tuple[EffectiveMount, ...]:
        """Return the mounts of one container, parents before what lies in them."""
        return self.by_container().get((component, agent), ())

    def by_container(
        self,
    ) -> Mapping[tuple[str, str | None], tuple[EffectiveMount, ...]]:
        """Return the mounts of every container by its component and agent."""
        found: dict[tuple[str, str | None], list[EffectiveMount]] = {}
        for mount in self.mounts:
            found.setdefault((mount.component, mount.agent), []).append(mount)
        return {key: tuple(mounts) for key, mounts in found.items()}


def mounts_of(
    deployment: Deployment, operator: OperatorMounts | None = None
) -> MountList:
    """Given a deployment, return its mounts, parents before what lies in them (B05).

    Raise MountRefused on two mounts with one target, on an operator's mount inside
    another one, and on a mount that holds the allowlist (C16).
    """
    asked = operator or OperatorMounts()
    own = tuple(built_in(deployment))
    together: dict[tuple[str, str | None], list[EffectiveMount]] = {}
    for mount in own:
        together.setdefault((mount.component, mount.agent), []).append(mount)
    for mount in asked.mounts:
        others = together.setdefault((mount.component, mount.agent), [])
        _check_target(mount, others if deployment.managed else _alike(mount, others))
        others.append(mount)
    for mount in (*own, *asked.mounts):
        _check_allowlist(mount, asked.allowlist)
    return MountList(
        mounts=in_order((*own, *asked.mounts)),
        refused=asked.refused,
        warnings=(
            *asked.warnings,
            *(f"Unsafe: {finding}." for finding in deployment.inventory.findings),
        ),
    )


def mount_list(
    params: Mapping[str, Any], deployment: Deployment, host: Host
) -> MountList:
    """Given a module's options, return every mount as it takes effect on this host."""
    found = mounts_of(deployment, operator_mounts(params, deployment, host))
    optional = {one.name for one in deployment.inventory.entries if one.when_present}
    return replace(
        found,
        mounts=tuple(
            mount
            for mount in found.mounts
            if mount.entry not in optional
            or mount.origin == OPERATOR
            or mount.type != "bind"
            or host.resolve(mount.source).exists
        ),
    )


def _alike(mount: EffectiveMount, others: list[EffectiveMount]) -> list[EffectiveMount]:
    """Return the mounts with the same target; another program may nest as it likes."""
    return [other for other in others if other.target == mount.target]


def _check_target(mount: EffectiveMount, others: list[EffectiveMount]) -> None:
    for other in others:
        why = ""
        if other.target == mount.target:
            why = "has the same target"
        elif is_within(mount.target, other.target):
            why = "holds its target, where the engine would make a directory for it"
        elif is_within(other.target, mount.target):
            why = "lies in its target and would be hidden or made in it"
        if why:
            raise MountRefused(
                f'Cannot mount "{mount.source}" at "{mount.target}"',
                f'the mount "{other.entry}" at "{other.target}" {why}',
                "Choose another target in operator_mounts, or another operator_prefix.",
            )


def _check_allowlist(mount: EffectiveMount, paths: tuple[str, ...]) -> None:
    for path in paths:
        if mount.type == "bind" and is_within(path, mount.source):
            raise MountRefused(
                f'Cannot mount "{mount.source}" into {mount.agent or mount.component}',
                f'the allowlist "{path}" lies in it',
                "Set allowlist_file to a place outside every mount.",
            )


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
    laid_out = entry.volume is None and entry.form == "directory"
    for mount in entry.mounts:
        for holder, source in sources:
            if holder is not None and not holder.enabled:
                continue
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
                    origin=entry.origin,
                    reason="the state inventory declares it",
                    purpose=entry.purpose,
                    uid=uid if laid_out else None,
                    gid=gid if laid_out else None,
                    mode=entry.mode if laid_out else None,
                )


def _seen_by(
    deployment: Deployment, component: str, holder: Agent | None
) -> list[str | None]:
    if component != "agent":
        return [None]
    if holder is not None:
        return [holder.name]
    return [agent.name for agent in deployment.agents if agent.enabled]
