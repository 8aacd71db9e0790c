# Copyright: (c) 2026, The Agentkeep authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The services of a deployment: one for each component, and what agents change."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Mapping

from .._errors import InvalidInput
from .._state.deployment import Agent, Deployment
from .service import Service
from .values import Fault, variables

AGENT = "agent"
MERGED = ("environment",)


@dataclass(frozen=True)
class Services:
    """Hold the service of every component, and of every agent."""

    components: Mapping[str, Service] = field(default_factory=dict)
    agents: Mapping[str, Service] = field(default_factory=dict)

    @classmethod
    def from_params(
        cls,
        declared: Any,
        deployment: Deployment,
        secret_environment: Any = None,
    ) -> Services:
        """Given the options services and secret_environment, return the services.

        Secrets are by the name of a component or of one container ("agent-main"), of
        which the container's win.
        """
        services = _mapping("services", declared)
        secrets = _secrets(services, deployment, secret_environment)
        components = {
            name: _service(name, service, deployment, secrets.get(name, {}))
            for name, service in sorted(services.items())
            if name != AGENT
        }
        shared = services.get(AGENT)
        agents = {
            agent.name: _service(
                f"agent-{agent.name}",
                _merged(shared, agent),
                deployment,
                {**secrets.get(AGENT, {}), **secrets.get(f"agent-{agent.name}", {})},
            )
            for agent in deployment.agents
            if shared is not None or agent.service
        }
        found = cls(components=components, agents=agents)
        _check_known(found, deployment)
        _check_needs(found)
        return found

    def of(self, component: str, agent: str | None = None) -> Service | None:
        """Return the service of a component or of one agent, or None."""
        if component == AGENT:
            return self.agents.get(str(agent))
        return self.components.get(component)


def _mapping(option: str, declared: Any) -> dict[str, Any]:
    if declared is None:
        return {}
    if not isinstance(declared, Mapping):
        raise InvalidInput(
            f"Cannot use {option}", "it is no mapping", "Write component: {…}."
        )
    return {str(name): value for name, value in declared.items() if value is not None}


def _service(
    label: str, declared: Any, deployment: Deployment, secrets: Mapping[str, str]
) -> Service:
    return Service.from_params(
        label, declared, managed=deployment.managed, secrets=secrets
    )


def _merged(shared: Any, agent: Agent) -> Any:
    if shared is None or not isinstance(shared, Mapping):
        return agent.service if shared is None else shared
    own = dict(agent.service)
    for key in MERGED:
        both = (shared.get(key), own.get(key))
        if all(isinstance(one, Mapping) for one in both):
            own[key] = {**shared[key], **own[key]}
    return {**shared, **own}


def _secrets(
    services: Mapping[str, Any], deployment: Deployment, declared: Any
) -> dict[str, dict[str, str]]:
    known = {*services, *(f"agent-{agent.name}" for agent in deployment.agents)}
    found = {}
    for name, values in _mapping("secret_environment", declared).items():
        if name not in known:
            raise InvalidInput(
                f'Cannot use secret_environment of "{name}"',
                "no service has that name",
                f"Name one of: {', '.join(sorted(known))}.",
            )
        try:
            found[name] = variables(f'secret_environment of "{name}"', values)
        except Fault as fault:
            raise fault.of(f'service "{name}"') from fault
    return found


def _check_known(services: Services, deployment: Deployment) -> None:
    for name in services.components:
        if name not in deployment.components:
            raise InvalidInput(
                f'Cannot use service "{name}"',
                "no component has that name",
                f'Add "{name}" with its uid to components, or remove the service.',
            )


def _check_needs(services: Services) -> None:
    known = {*services.components, *([AGENT] if services.agents else [])}
    needs = {name: set(one.needs) for name, one in services.components.items()}
    for one in services.agents.values():
        needs.setdefault(AGENT, set()).update(one.needs)
    for name, needed in sorted(needs.items()):
        strange = sorted(needed - known)
        if strange:
            raise InvalidInput(
                f'Cannot use service "{name}"',
                f'it needs "{strange[0]}", which is no service',
                f"Set needs to names out of: {', '.join(sorted(known))}.",
            )
    left = dict(needs)
    while left:
        free = [name for name, needed in left.items() if not needed & set(left)]
        if not free:
            raise InvalidInput(
                f'Cannot use service "{min(left)}"',
                "services need each other in a circle: " + ", ".join(sorted(left)),
                "Remove one of their needs.",
            )
        for name in free:
            del left[name]
