# Copyright: (c) 2026, The Agentkeep authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The containers of a deployment, as a function of what is declared."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any, Iterator, Mapping, Optional, Tuple

from .._errors import InvalidInput
from .._mounts.effective import MountList
from .._mounts.mount import EffectiveMount
from .._state.deployment import Agent, Deployment
from .._state.template import PLACEHOLDER
from .container import (
    AGENT_LABEL,
    COMPONENT_LABEL,
    DEPLOYMENT_LABEL,
    ID_LABEL,
    SETTINGS_LABEL,
    Container,
    DeclaredIdentity,
)
from .parts import Find
from .projects import demand_writable_projects
from .service import Service
from .services import AGENT, Services

Mounted = Mapping[Tuple[str, Optional[str]], Tuple[EffectiveMount, ...]]


def project_of(deployment: Deployment) -> str:
    """Return the name that the engine's objects of a deployment begin with (D03)."""
    return f"agentkeep-{deployment.name}"


def containers_of(
    deployment: Deployment,
    mounts: MountList,
    services: Services,
    identity: DeclaredIdentity,
) -> tuple[Container, ...]:
    """Given what is declared, return every container, in the order of their names.

    An agent that is not enabled has none; one that is lazy is made and not started.
    """
    mounted = mounts.by_container()
    found = [
        _container(deployment, mounted, identity, (component, None, service))
        for component, service in services.components.items()
    ]
    for agent in deployment.agents:
        own = services.of(AGENT, agent.name)
        if own is not None and agent.enabled:
            found.append(_container(deployment, mounted, identity, (AGENT, agent, own)))
    ordered = tuple(sorted(found, key=lambda one: one.service))
    _check_apart(ordered)
    return ordered


def labels_of(
    deployment: Deployment, identity: DeclaredIdentity, component: str
) -> dict[str, str]:
    """Return the labels of everything that is made for a component (D19)."""
    return {
        DEPLOYMENT_LABEL: deployment.name,
        ID_LABEL: identity.id,
        COMPONENT_LABEL: component,
    }


def network_name(deployment: Deployment, network: str) -> str:
    """Return the engine's name of a network."""
    return f"{project_of(deployment)}-{network}"


def _container(
    deployment: Deployment,
    mounted: Mounted,
    identity: DeclaredIdentity,
    declared: tuple[str, Agent | None, Service],
) -> Container:
    component, agent, service = declared
    short = f"agent-{agent.name}" if agent else component
    ids = deployment.container_ids(component, agent)
    own = _own(deployment, service, agent)
    if short in identity.references:
        own["image"] = identity.references[short]
    return Container(
        **own,
        name=f"{project_of(deployment)}-{short}",
        service=short,
        component=component,
        agent=agent.name if agent else None,
        user=f"{ids.uid}:{ids.gid}",
        image_id=identity.images.get(short),
        labels=_labels(deployment, identity, component, agent),
        mounts=tuple(
            _with_options(
                mounted.get((component, agent.name if agent else None), ()), service
            )
        ),
        start=not (agent and agent.lazy),
        managed=deployment.managed,
    )


def _own(
    deployment: Deployment, service: Service, agent: Agent | None
) -> dict[str, Any]:
    """Return the fields of a service as this container has them."""
    own = {one.name: getattr(service, one.name) for one in fields(service)}
    if not deployment.managed:
        return {**own, "find": _found_by(service.find, deployment, agent)}
    networks = (network_name(deployment, one) for one in service.networks or ())
    return {
        **own,
        "networks": tuple(sorted(networks)),
        "restart": "no" if agent and agent.lazy else service.restart,
    }


def _labels(
    deployment: Deployment,
    identity: DeclaredIdentity,
    component: str,
    agent: Agent | None,
) -> dict[str, str]:
    if not deployment.managed:
        return {}
    short = f"agent-{agent.name}" if agent else component
    labels = labels_of(deployment, identity, component)
    if agent:
        labels[AGENT_LABEL] = agent.name
    if short in identity.settings:
        labels[SETTINGS_LABEL] = identity.settings[short]
    return labels


def _with_options(
    mounts: tuple[EffectiveMount, ...], service: Service
) -> Iterator[EffectiveMount]:
    for mount in mounts:
        options = {*mount.options, *service.mount_options}
        bind = mount.type == "bind"
        yield replace(mount, options=tuple(sorted(options))) if bind else mount


def _found_by(
    find: Find | None, deployment: Deployment, agent: Agent | None
) -> Find | None:
    if find is None:
        return None
    values: Mapping[str, str] = {"deployment": deployment.name}
    if agent:
        values = {**values, **agent.names, "agent": agent.name}

    def filled(template: str) -> str:
        return PLACEHOLDER.sub(
            lambda found: values.get(found.group(1), found.group()), template
        )

    return Find(
        labels={key: filled(value) for key, value in find.labels.items()},
        name=filled(find.name) if find.name else None,
    )


def _check_apart(containers: tuple[Container, ...]) -> None:
    published: dict[tuple[str, int, str], str] = {}
    for one in containers:
        _check_targets(one)
        if one.managed:
            demand_writable_projects(one)
        for port in one.ports:
            key = (port.host, port.published, port.protocol)
            if key in published:
                raise InvalidInput(
                    f'Cannot publish a port of service "{one.service}"',
                    f'"{published[key]}" publishes {port.host}:{port.published} too',
                    "Give one of them another port in services or in the agent's own "
                    "service.",
                )
            published[key] = one.service


def _check_targets(container: Container) -> None:
    mounted = {mount.target for mount in container.mounts}
    for one in container.temporary:
        if one.target in mounted:
            raise InvalidInput(
                f'Cannot use service "{container.service}"',
                f'it has a mount and a temporary directory at "{one.target}"',
                "Choose another target for one of them.",
            )
