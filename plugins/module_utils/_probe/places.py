# Copyright: (c) 2026, The Agentkeep authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a container must be able to write, from what is declared of it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Iterator, Mapping

from .._containers.container import Container
from .._mounts.mount import EffectiveMount
from .._state.deployment import Agent, Deployment
from .._state.identity import Identity
from .task import Place, Task

PROJECTS = "projects"


@dataclass(frozen=True)
class Facts:
    """Hold what only the host knows of a container.

    ``sources`` maps each target to device and inode of its source, or to None where
    the host cannot tell; what is not on the host has device and inode 0. The process
    starts in ``working_directory``.
    """

    working_directory: str = ""
    temporary: str | None = None
    sources: Mapping[str, tuple[int, int] | None] = field(default_factory=dict)
    sessions: Mapping[str, str] = field(default_factory=dict)


def task_of(deployment: Deployment, container: Container, facts: Facts) -> Task:
    """Given a container, return everything that is tried inside it."""
    transcripts = transcripts_of(container, facts)
    return Task(
        places=(
            *_places(deployment, container, facts),
            *_worked_in(container, facts),
        ),
        transcripts=transcripts,
        temporary=facts.temporary,
        sessions=facts.sessions if transcripts else {},
    )


def transcripts_of(container: Container, facts: Facts) -> Place | None:
    """Return where the CLI keeps its projects; None if no mount holds it."""
    if container.config_directory is None:
        return None
    path = f"{container.config_directory}/{PROJECTS}"
    holder = _holder(container, path)
    return None if holder is None else _below(holder, path, facts)


def _holder(container: Container, path: str) -> EffectiveMount | None:
    holders = [
        mount for mount in container.mounts if f"{path}/".startswith(f"{mount.target}/")
    ]
    return max(holders, key=lambda mount: len(mount.target), default=None)


def _below(mount: EffectiveMount, path: str, facts: Facts) -> Place:
    parts = [part for part in path[len(mount.target) :].split("/") if part]
    return _place(mount, tuple(parts), facts)


def _places(
    deployment: Deployment, container: Container, facts: Facts
) -> Iterator[Place]:
    declared = _declared_ids(deployment, container)
    for mount in container.mounts:
        if mount.effective != "rw":
            continue
        if may_write(declared, (mount.uid, mount.gid, mount.mode)):
            yield _place(mount, (), facts)
        for entry in deployment.inventory.entries:
            if entry.within is None or entry.within != mount.entry:
                continue
            for agent, path in deployment.located(entry):
                owner = (*deployment.ids(entry, agent), entry.mode)
                if _is_there(agent) and may_write(declared, owner):
                    place = _place(mount, (path.rsplit("/", 1)[1],), facts)
                    yield replace(place, entry=entry.name)


def _worked_in(container: Container, facts: Facts) -> Iterator[Place]:
    """Yield the working directory below a mount, which the engine may have made."""
    path = container.working_directory or facts.working_directory
    holder = _holder(container, path) if path.startswith("/") else None
    if holder is not None and holder.effective == "rw" and path != holder.target:
        yield _below(holder, path, facts)


def may_write(
    declared: Identity | None, owner: tuple[int | None, int | None, int | None]
) -> bool:
    """Return whether the declared owner and mode let a container write there.

    A directory of root in which a container has only directories of its own is mounted
    for writing and not to be written itself. What has no declared owner is tried.
    """
    uid, gid, mode = owner
    if declared is None or mode is None:
        return True
    bits = mode >> 6 if declared.uid == uid else mode >> 3
    if declared.uid != uid and declared.gid != gid:
        bits = mode
    return bits & 0o3 == 0o3


def _declared_ids(deployment: Deployment, container: Container) -> Identity | None:
    agents = {agent.name: agent for agent in deployment.agents}
    agent = agents.get(container.agent or "")
    if agent is None and container.component not in deployment.components:
        return None
    return deployment.host_ids(deployment.container_ids(container.component, agent))


def _is_there(agent: Agent | None) -> bool:
    return agent is None or agent.enabled


def _place(mount: EffectiveMount, below: tuple[str, ...], facts: Facts) -> Place:
    device, inode = facts.sources.get(mount.target) or (None, None)
    return Place(mount.entry, mount.target, below, device, inode)
