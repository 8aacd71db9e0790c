# Copyright: (c) 2026, The Agentkeep authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options of the probe from inside."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Mapping

from .._argument_spec import ArgumentSpec
from .._containers.container import Container, DeclaredIdentity
from .._containers.declare import containers_of
from .._containers.services import Services
from .._engine.on_host import deployment_on_host
from .._errors import InvalidInput
from .._mounts.effective import mount_list
from .._mounts.host import Host
from .._mounts.options import mounts_spec
from .._state.deployment import Deployment
from .._state.options import inventory_spec

FAULTS = ("fail", "warn_of_lost", "report")
NEEDED = ("data_root", "deployment", "inventory", "services")


def inside_spec() -> ArgumentSpec:
    """Return the options of the probe from inside; none is required without it."""
    own = ArgumentSpec(
        options={
            "inside": {"type": "bool", "default": False},
            "faults": {"type": "str", "choices": list(FAULTS), "default": "fail"},
            "services": {"type": "dict"},
            "probe_timeout_seconds": {"type": "int", "default": 30},
        }
    )
    return inventory_spec().merge(mounts_spec()).merge(own).without_demands(*NEEDED)


@dataclass(frozen=True)
class Inside:
    """Hold which containers are probed from inside, and what faults lead to."""

    deployment: Deployment
    containers: tuple[Container, ...]
    engine_socket: str
    wait_seconds: float
    timeout_seconds: float
    faults: str = "fail"

    @classmethod
    def from_params(cls, params: Mapping[str, Any], host: Host) -> Inside | None:
        """Given the options, return the probe, or None if it is not asked for."""
        if not params["inside"]:
            return None
        missing = [name for name in NEEDED if params.get(name) is None]
        if missing:
            raise InvalidInput(
                "Cannot probe from inside",
                f"{' and '.join(missing)} must be known for it",
                "Set them as for the module deployment, or set inside to false.",
            )
        deployment = deployment_on_host(params).deployment
        return cls(
            deployment=deployment,
            containers=_containers(deployment, params, host),
            engine_socket=params["engine_socket"],
            wait_seconds=params["wait_seconds"],
            timeout_seconds=params["probe_timeout_seconds"],
            faults=params["faults"],
        )


def _containers(
    deployment: Deployment, params: Mapping[str, Any], host: Host
) -> tuple[Container, ...]:
    services = Services.from_params(params["services"], deployment)
    mounts = mount_list(params, deployment, host)
    found = containers_of(deployment, mounts, services, DeclaredIdentity(id=""))
    agent = params["agent"]
    if agent is None:
        return found
    own = tuple(one for one in found if one.agent == agent)
    if not own:
        known = ", ".join(sorted(one.agent for one in found if one.agent))
        raise InvalidInput(
            f'Cannot probe agent "{agent}" from inside',
            f"the declared agents with a container are {known or 'none'}",
            "Set agent to one of them, or declare it in agents.",
        )
    return own
