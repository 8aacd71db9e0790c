# Copyright: (c) 2026, The Agentkeep authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the options of the modules ask for, as one frozen value."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Mapping

from .._containers.files import DeclaredFile, files_of
from .._containers.services import Services
from .._errors import InvalidInput
from .._mounts.effective import MountList
from .._state.deployment import Deployment
from .file_plan import PlacedFile, placed_files
from .legacy import Legacy

PRESENT = "present"
ABSENT = "absent"
PREVIOUS = "previous"
STATES = (PRESENT, ABSENT, PREVIOUS)
UNKNOWN_IMAGE = "unknown:"


@dataclass(frozen=True)
class Waits:
    """Hold how long is waited for what, in seconds."""

    engine: float = 0
    health: float = 45
    lock: float = 60


@dataclass(frozen=True)
class Wanted:
    """Hold everything that is declared, and what is to be done with it.

    ``compares_settings`` says that files and secrets are declared here; a reader that
    does not know them cannot compare them.
    """

    deployment: Deployment
    mounts: MountList
    services: Services
    files: tuple[PlacedFile, ...] = ()
    legacy: Legacy = field(default_factory=Legacy)
    declared_names: tuple[tuple[str, tuple[str, ...]], ...] = ()
    state: str = PRESENT
    wipe: bool = False
    waits: Waits = field(default_factory=Waits)
    engine_socket: str = "/var/run/docker.sock"
    compares_settings: bool = True

    @property
    def root(self) -> str:
        """Return the deployment's directory."""
        return f"{self.deployment.data_root}/{self.deployment.name}"

    @property
    def project(self) -> str:
        """Return the name that the engine knows the deployment by."""
        return f"agentkeep-{self.deployment.name}"

    @property
    def stop_orders(self) -> dict[str, int]:
        """Return when the containers of each component are stopped."""
        agents = list(self.services.agents.values())[:1]
        found = {n: one.stop_order for n, one in self.services.components.items()}
        return {**found, **({"agent": agents[0].stop_order} if agents else {})}


def wanted_of(
    params: Mapping[str, Any], deployment: Deployment, mounts: MountList
) -> Wanted:
    """Given the options, return what they ask for; raise InvalidInput."""
    legacy = Legacy.from_params(params)
    _demand_confirmation(params, deployment)
    services = params.get("services") or {}
    secrets = params.get("secret_environment") or {}
    declared = files_of(params.get("files") or ())
    return Wanted(
        deployment=deployment,
        mounts=mounts,
        services=Services.from_params(
            _without_legacy(services, legacy),
            _agents_without_legacy(deployment, legacy),
            {
                name: legacy.without(values) if isinstance(values, Mapping) else values
                for name, values in secrets.items()
            },
        ),
        files=placed_files(deployment, _of_declared(declared)),
        legacy=legacy,
        declared_names=_declared_names(services, secrets, deployment),
        state=params.get("state") or PRESENT,
        wipe=bool(params.get("wipe")),
        waits=Waits(
            engine=params.get("engine_wait_seconds") or 0,
            health=params.get("health_wait_seconds") or 0,
            lock=params.get("lock_wait_seconds") or 0,
        ),
        engine_socket=params.get("engine_socket") or "/var/run/docker.sock",
        compares_settings="state" in params or bool(declared or secrets),
    )


def _of_declared(declared: tuple[DeclaredFile, ...]) -> tuple[DeclaredFile, ...]:
    return tuple(sorted(declared, key=lambda one: (one.entry, one.name)))


def _without_legacy(services: Any, legacy: Legacy) -> Any:
    if not isinstance(services, Mapping):
        return services
    return {
        name: {**service, "environment": legacy.without(service["environment"])}
        if isinstance(service, Mapping)
        and isinstance(service.get("environment"), Mapping)
        else service
        for name, service in services.items()
    }


def _agents_without_legacy(deployment: Deployment, legacy: Legacy) -> Deployment:
    agents = tuple(
        replace(agent, service=_without_legacy({"": agent.service}, legacy)[""])
        for agent in deployment.agents
    )
    return replace(deployment, agents=agents)


def _names(values: Any) -> tuple[str, ...]:
    return tuple(values) if isinstance(values, Mapping) else ()


def _declared_names(
    services: Any, secrets: Mapping[str, Any], deployment: Deployment
) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Return each place where variables are declared, with their names only."""
    found = []
    for name, service in services.items() if isinstance(services, Mapping) else ():
        if isinstance(service, Mapping):
            environment = service.get("environment") or {}
            found.append((f"services.{name}", tuple(environment)))
    for name, values in secrets.items():
        found.append((f"secret_environment.{name}", _names(values)))
    for agent in deployment.agents:
        environment = agent.service.get("environment") or {}
        found.append((f'service of agent "{agent.name}"', tuple(environment)))
    return tuple(found)


def _demand_confirmation(params: Mapping[str, Any], deployment: Deployment) -> None:
    if not params.get("wipe"):
        return
    if params.get("state") != ABSENT:
        raise InvalidInput(
            "Cannot wipe a deployment that is to be there",
            f"state is {params.get('state')!r}",
            "Set state to absent, or wipe to false.",
        )
    if params.get("confirm") != deployment.name:
        raise InvalidInput(
            f'Cannot wipe the deployment "{deployment.name}"',
            f"confirm is {params.get('confirm')!r}",
            f'Set confirm to "{deployment.name}" if all its data is to be destroyed; '
            "nothing was removed.",
        )
