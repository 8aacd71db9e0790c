# Copyright: (c) 2026, The Agentkeep authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A deployment: its place on the host and the identities of its containers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Iterator, Mapping

from .._errors import InvalidInput
from .entry import Entry
from .inventory import Inventory
from .names import HIGHEST_ID, absolute_fault, id_fault, name_fault
from .owner import Holder


@dataclass(frozen=True)
class Identity:
    """Hold the user and group id that a container runs with."""

    uid: int
    gid: int

    @classmethod
    def from_params(cls, label: str, params: Mapping[str, Any]) -> Identity:
        """Given uid and gid of *label*, return them; the gid defaults to the uid."""
        uid = params.get("uid")
        gid = uid if params.get("gid") is None else params["gid"]
        for key, value in (("uid", uid), ("gid", gid)):
            fault = id_fault(value) or ("0 is root" if value == 0 else None)
            if fault:
                raise InvalidInput(
                    f"Cannot use the {key} of {label}",
                    fault,
                    f"Set its {key} to a free number such as 20101.",
                )
        return cls(uid=int(str(uid)), gid=int(str(gid)))


@dataclass(frozen=True)
class Agent:
    """Hold the name and the identity of one agent."""

    name: str
    identity: Identity

    @classmethod
    def from_params(cls, params: Any) -> Agent:
        """Given an agent as declared, return it; raise InvalidInput."""
        name = params.get("name") if isinstance(params, Mapping) else params
        fault = name_fault(name)
        if fault:
            raise InvalidInput(
                "Cannot use an agent",
                f"its name {fault}",
                'Give it a short name such as "main".',
            )
        return cls(
            name=str(name), identity=Identity.from_params(f'agent "{name}"', params)
        )


@dataclass(frozen=True)
class Deployment:
    """Hold everything that places a state inventory on a host."""

    data_root: str
    name: str
    inventory: Inventory
    agents: tuple[Agent, ...]
    control: Identity
    gateway: Identity
    uid_offset: int = 0

    @classmethod
    def from_params(cls, params: Mapping[str, Any]) -> Deployment:
        """Given the options of a module, return the deployment; raise InvalidInput."""
        inventory = Inventory.from_params(params.get("inventory"))
        components = params.get("components") or {}
        deployment = cls(
            data_root=_data_root(params.get("data_root")),
            name=_name(params.get("deployment")),
            inventory=inventory.with_optional(params.get("include_optional") or ()),
            agents=tuple(Agent.from_params(one) for one in params.get("agents") or ()),
            control=Identity.from_params("control", components.get("control") or {}),
            gateway=Identity.from_params("gateway", components.get("gateway") or {}),
            uid_offset=_offset(params.get("uid_offset") or 0),
        )
        _check_apart(deployment)
        return deployment

    def places(self, entry: Entry) -> Iterator[tuple[Agent | None, str]]:
        """Yield each agent, or None, with the entry's path below the data root."""
        if entry.scope == "deployment":
            yield None, f"{self.name}/shared/{entry.source}"
            return
        holder = self.inventory.entry(entry.within) if entry.within else None
        for agent in self.agents:
            if holder is None:
                yield agent, f"{self.name}/agents/{agent.name}/{entry.source}"
            else:
                yield agent, f"{self.name}/shared/{holder.source}/{agent.name}"

    def volume(self, entry: Entry, agent: Agent | None) -> str:
        """Return the name that the engine knows the entry's volume by."""
        owner = f"-{agent.name}" if agent else ""
        return f"agentkeep-{self.name}{owner}-{entry.volume}"

    def ids(self, entry: Entry, agent: Agent | None) -> tuple[int, int]:
        """Return the owner of the entry as the host sees it."""
        own = agent.identity if agent else None
        return (
            self._on_host(entry.owner.user, own, "uid"),
            self._on_host(entry.owner.group, own, "gid"),
        )

    def _on_host(self, holder: Holder, agent: Identity | None, kind: str) -> int:
        if holder == "root":
            return 0
        roles = {"agent": agent, "control": self.control, "gateway": self.gateway}
        identity = roles.get(str(holder))
        number = getattr(identity, kind) if identity else int(holder)
        return 0 if number == 0 else int(number) + self.uid_offset


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


def _offset(offset: Any) -> int:
    fault = id_fault(offset)
    if fault:
        raise InvalidInput(
            "Cannot use uid_offset",
            fault,
            "Set it to the first id of the engine's subordinate range, or to 0.",
        )
    return int(offset)


def _check_apart(deployment: Deployment) -> None:
    labelled = [("control", deployment.control), ("gateway", deployment.gateway)]
    names: dict[str, None] = {}
    for agent in deployment.agents:
        if agent.name in names:
            raise InvalidInput(
                f'Cannot use agent "{agent.name}"',
                "it is declared twice",
                "Rename or remove one of them.",
            )
        names[agent.name] = None
        labelled.append((f'agent "{agent.name}"', agent.identity))
    for kind in ("uid", "gid"):
        _check_ids(kind, [(label, getattr(one, kind)) for label, one in labelled])
        highest = max(getattr(one, kind) for _label, one in labelled)
        if highest + deployment.uid_offset > HIGHEST_ID:
            raise InvalidInput(
                "Cannot use uid_offset",
                f"{deployment.uid_offset} and the {kind} {highest} together exceed "
                f"{HIGHEST_ID}",
                "Set a smaller uid_offset.",
            )


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
