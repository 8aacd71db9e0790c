# Copyright: (c) 2026, The Agentkeep authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options of what is asked about sessions."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Mapping

from .._argument_spec import ArgumentSpec
from .._containers.container import DeclaredIdentity
from .._containers.declare import containers_of
from .._containers.services import Services
from .._errors import InvalidInput
from .._mounts.effective import mount_list
from .._mounts.host import Host
from .._state.deployment import Deployment
from .place import Place, places_of


def sessions_spec() -> ArgumentSpec:
    """Return the options of what is asked about sessions."""
    return ArgumentSpec(
        options={
            "services": {"type": "dict", "required": True},
            "agent": {"type": "str"},
            "most_transcripts": {"type": "int", "default": 10_000},
            "scan_timeout_seconds": {"type": "int", "default": 120},
        }
    )


@dataclass(frozen=True)
class Asked:
    """Hold which places are read, and how much of each."""

    places: tuple[Place, ...]
    agent: str | None
    most: int
    seconds: float
    managed: bool

    @classmethod
    def from_params(
        cls, params: Mapping[str, Any], deployment: Deployment, host: Host
    ) -> Asked:
        """Given the options, return what is read; raise InvalidInput."""
        for name in ("most_transcripts", "scan_timeout_seconds"):
            if params[name] < 1:
                raise InvalidInput(
                    f"Cannot read {params[name]} as {name}",
                    "nothing would be looked at",
                    f"Set {name} to a number above 0, or leave it out.",
                )
        # An agent without a container keeps its sessions all the same.
        agents = tuple(replace(one, enabled=True) for one in deployment.agents)
        everyone = replace(deployment, agents=agents)
        services = Services.from_params(params["services"], everyone)
        mounts = mount_list(params, everyone, host)
        containers = containers_of(everyone, mounts, services, DeclaredIdentity(id=""))
        agent = params["agent"]
        if agent is not None and agent not in [one.name for one in agents]:
            known = ", ".join(sorted(one.name for one in agents))
            raise InvalidInput(
                f'Cannot look for the sessions of agent "{agent}"',
                f"the declared agents are {known or 'none'}",
                "Set agent to one of them, or declare it in agents.",
            )
        found = places_of(everyone, containers)
        return cls(
            places=tuple(one for one in found if agent in (None, one.agent)),
            agent=agent,
            most=params["most_transcripts"],
            seconds=params["scan_timeout_seconds"],
            managed=deployment.managed,
        )
