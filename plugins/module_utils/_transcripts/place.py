# Copyright: (c) 2026, The Agentkeep authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where on the host the Claude CLI of a container keeps its sessions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Iterable, Iterator

from .._containers.container import Container
from .._mounts.mount import EffectiveMount
from .._state.deployment import Deployment
from .._state.identity import Identity
from .key import project_key

PROJECTS = "projects"


@dataclass(frozen=True)
class Place:
    """Hold the directory of all projects of one container's CLI.

    It is ``path`` below ``root``, a directory on the host or the name of a volume.
    ``identity`` is the container's user as the host knows it, ``own`` the key of the
    project that it works in; None where nobody has declared them.
    """

    service: str
    component: str
    agent: str | None
    root: str
    path: str
    volume: bool = False
    identity: Identity | None = None
    own: str | None = None

    @property
    def shown(self) -> str:
        """Return the place for people."""
        return f"{self.root}/{self.path}"

    def for_output(self) -> dict[str, Any]:
        """Return what the module returns of the place itself."""
        return {
            "service": self.service,
            "component": self.component,
            "agent": self.agent,
            "path": self.shown,
            "volume": self.root if self.volume else None,
        }


def places_of(
    deployment: Deployment, containers: Iterable[Container]
) -> tuple[Place, ...]:
    """Return the place of every container with a CLI, each place on the host once."""
    found: dict[str, Place] = {}
    for container in containers:
        for place in _place(deployment, container):
            found.setdefault(place.shown, place)
    return tuple(found.values())


def _place(deployment: Deployment, container: Container) -> Iterator[Place]:
    if container.config_directory is None:
        return
    inside = f"{container.config_directory}/{PROJECTS}"
    mount = _holder(container, inside)
    if mount is None:
        return
    below = [part for part in inside[len(mount.target) :].split("/") if part]
    root, path = mount.source, "/".join(below)
    data_root = f"{deployment.data_root}/"
    if mount.type == "bind" and f"{root}/".startswith(data_root):
        # From the data root on, which nobody but root can replace.
        path = "/".join([root[len(data_root) :], *below]).strip("/")
        root = deployment.data_root
    directory = container.working_directory
    yield Place(
        service=container.service,
        component=container.component,
        agent=container.agent,
        root=root,
        path=path,
        volume=mount.type != "bind",
        identity=_identity(deployment, container),
        own=project_key(directory) if directory else None,
    )


def _holder(container: Container, path: str) -> EffectiveMount | None:
    holders = [
        mount for mount in container.mounts if f"{path}/".startswith(f"{mount.target}/")
    ]
    return max(holders, key=lambda mount: len(mount.target), default=None)


def _identity(deployment: Deployment, container: Container) -> Identity | None:
    agents = {agent.name: agent for agent in deployment.agents}
    agent = agents.get(container.agent or "")
    if agent is None and container.component not in deployment.components:
        return None
    return deployment.host_ids(deployment.container_ids(container.component, agent))
