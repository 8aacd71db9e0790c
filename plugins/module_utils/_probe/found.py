# Copyright: (c) 2026, The Agentkeep authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which container of the engine is a declared one, and whether it can be probed yet."""

from __future__ import annotations

from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any, Mapping, Protocol, Sequence

from .._containers.container import AGENT_LABEL, DEPLOYMENT_LABEL, Container


class Listed(Protocol):
    """Say what the engine's list says of one container."""

    @property
    def id(self) -> str:
        """Return its id."""

    @property
    def name(self) -> str:
        """Return its name."""

    @property
    def labels(self) -> Mapping[str, str]:
        """Return its labels."""


@dataclass(frozen=True)
class Running:
    """Hold what the engine knows of a container that is to be probed."""

    id: str = ""
    pid: int = 0
    status: str = "missing"
    health: str | None = None
    sources: Mapping[str, str] = field(default_factory=dict)
    working_directory: str = ""

    @classmethod
    def from_inspect(cls, inspected: Mapping[str, Any] | None) -> Running:
        """Given what the engine says of a container, return it."""
        if inspected is None:
            return cls()
        state = inspected.get("State") or {}
        return cls(
            id=inspected["Id"],
            pid=int(state.get("Pid") or 0),
            status=str(state.get("Status") or "unknown"),
            health=(state.get("Health") or {}).get("Status"),
            sources={
                mount["Destination"]: mount.get("Source") or ""
                for mount in inspected.get("Mounts") or ()
            },
            working_directory=(inspected.get("Config") or {}).get("WorkingDir") or "",
        )

    @property
    def runs(self) -> bool:
        """Return whether it has a main process that can be looked at."""
        return self.status == "running" and self.pid > 0

    @property
    def settled(self) -> bool:
        """Return whether it runs and its health check has said something."""
        return self.runs and self.health != "starting"


def found_id(
    container: Container, deployment: str, listed: Sequence[Listed]
) -> str | None:
    """Return the id of the engine's container that is the declared one, or None."""
    for one in listed:
        if _is(container, deployment, one):
            return one.id
    return None


def _is(container: Container, deployment: str, one: Listed) -> bool:
    if container.managed:
        return (
            one.name == container.name
            and one.labels.get(DEPLOYMENT_LABEL) == deployment
            and one.labels.get(AGENT_LABEL) == container.agent
        )
    find = container.find
    if find is None:
        return False
    labels = all(one.labels.get(name) == text for name, text in find.labels.items())
    return labels and (find.name is None or fnmatchcase(one.name, find.name))
