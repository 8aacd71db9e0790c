# Copyright: (c) 2026, The Agentkeep authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A deployment: its place on the host and the identities of its containers."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Iterator, Mapping

from .._errors import InvalidInput
from .adjustments import adjusted
from .agent import Agent
from .apart import check_apart, check_components, check_paths
from .entry import Entry
from .id_map import IDENTITY, IdMap
from .identity import Identity
from .inventory import Inventory
from .names import absolute_fault, id_fault, name_fault
from .owner import FIXED, Holder
from .places import DEFAULT_PLACES, Places

__all__ = ["Agent", "Deployment", "Identity"]


@dataclass(frozen=True)
class Deployment:
    """Hold everything that places a state inventory on a host.

    ``managed`` says that its containers and directories are ours to make. The
    ``uid_offset`` is the declared one: where it is None, ``id_map`` changes nothing
    until an edge has found the engine's and calls ``with_id_map``.
    """

    data_root: str
    name: str
    inventory: Inventory
    agents: tuple[Agent, ...]
    components: Mapping[str, Identity] = field(default_factory=dict)
    places: Places = DEFAULT_PLACES
    managed: bool = True
    uid_offset: int | None = None
    id_map: IdMap = IDENTITY

    @classmethod
    def from_params(cls, params: Mapping[str, Any]) -> Deployment:
        """Given the options of a module, return the deployment; raise InvalidInput."""
        managed = params.get("managed") is not False
        declared = adjusted(params.get("inventory"), params.get("adjustments") or {})
        inventory = Inventory.from_params(declared, managed=managed)
        deployment = cls(
            data_root=_data_root(params.get("data_root")),
            name=_name(params.get("deployment")),
            inventory=inventory.with_optional(params.get("include_optional") or ()),
            agents=tuple(Agent.from_params(one) for one in params.get("agents") or ()),
            components=_components(params.get("components") or {}),
            places=Places.from_params(params.get("places")),
            managed=managed,
            uid_offset=_offset(params.get("uid_offset")),
        )
        check_components(deployment)
        check_apart(deployment)
        check_paths(deployment)
        return deployment.with_id_map(IdMap.offset(deployment.uid_offset or 0))

    def with_id_map(self, id_map: IdMap) -> Deployment:
        """Return the deployment on an engine with that map; raise InvalidInput."""
        for identity in (
            *self.components.values(),
            *(agent.identity for agent in self.agents),
        ):
            id_map.host_uid(identity.uid)
            id_map.host_gid(identity.gid)
        return replace(self, id_map=id_map)

    def located(self, entry: Entry) -> Iterator[tuple[Agent | None, str]]:
        """Yield each agent, or None, with the entry's path below the data root."""
        if entry.scope == "deployment":
            yield None, self._path("deployment", entry.source, None)
            return
        holder = self.inventory.entry(entry.within) if entry.within else None
        held = self._path("deployment", holder.source, None) if holder else ""
        for agent in self.agents:
            if holder is None:
                yield agent, self._path("agent", entry.source, agent)
            else:
                yield agent, f"{held}/{agent.name}"

    def volume(self, entry: Entry, agent: Agent | None) -> str:
        """Return the name that the engine knows the entry's volume by."""
        scope = "agent" if agent else "deployment"
        return self.places.volume(scope, str(entry.volume), self._values(agent))

    def ids(self, entry: Entry, agent: Agent | None) -> tuple[int, int]:
        """Return the owner of the entry as the host sees it."""
        own = agent.identity if agent else None
        user = self._number(entry.owner.user, own, "uid")
        group = self._number(entry.owner.group, own, "gid")
        return (
            self.id_map.host_uid(user) if user else 0,
            self.id_map.host_gid(group) if group else 0,
        )

    def container_ids(self, component: str, agent: Agent | None = None) -> Identity:
        """Return the ids that a container runs with, as it sees them itself."""
        return agent.identity if agent else self.components[component]

    def host_ids(self, identity: Identity) -> Identity:
        """Return the ids of a container as the host sees them."""
        return Identity(
            uid=self.id_map.host_uid(identity.uid),
            gid=self.id_map.host_gid(identity.gid),
        )

    def _path(self, scope: str, source: str | None, agent: Agent | None) -> str:
        return self.places.path(scope, str(source), self._values(agent))

    def _values(self, agent: Agent | None) -> dict[str, str]:
        values = {"deployment": self.name}
        return {**values, **agent.names, "agent": agent.name} if agent else values

    def _number(self, holder: Holder, agent: Identity | None, kind: str) -> int:
        if holder == "root":
            return 0
        identity = agent if holder == "agent" else self.components.get(str(holder))
        return int(getattr(identity, kind)) if identity else int(holder)


def _components(declared: Any) -> dict[str, Identity]:
    if not isinstance(declared, Mapping):
        raise InvalidInput(
            "Cannot use the components",
            f"they are {declared!r}",
            "Write a mapping of names to uid and gid.",
        )
    for name, identity in declared.items():
        fault = name_fault(name)
        if name in FIXED:
            fault = f'"{name}" means something else'
        elif not fault and not isinstance(identity, Mapping):
            fault = f'"{name}" is {identity!r}'
        if fault:
            raise InvalidInput(
                "Cannot use a component",
                fault,
                "Set components to short names, each with uid and gid.",
            )
    return {
        str(name): Identity.from_params(str(name), identity)
        for name, identity in declared.items()
    }


def _data_root(path: Any) -> str:
    fault = absolute_fault(path)
    if fault:
        raise InvalidInput(
            "Cannot use the data root",
            fault,
            "Set data_root to an absolute path such as /srv/agentkeep.",
        )
    return str(path)


def _name(name: Any) -> str:
    fault = name_fault(name)
    if fault:
        raise InvalidInput(
            "Cannot use the deployment's name",
            fault,
            'Set deployment to a short name such as "main".',
        )
    return str(name)


def _offset(offset: Any) -> int | None:
    if offset is None:
        return None
    fault = id_fault(offset)
    if fault:
        raise InvalidInput(
            "Cannot use uid_offset",
            fault,
            "Set it to the first id of the engine's subordinate range, or to 0.",
        )
    return int(offset)
