# Copyright: (c) 2026, The Agentkeep authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A container that is there, as the declaration that would make it again."""

from __future__ import annotations

from typing import Any

from .._mounts.mount import EffectiveMount
from .container import (
    AGENT_LABEL,
    COMPONENT_LABEL,
    ID_LABEL,
    LABEL,
    Container,
    DeclaredIdentity,
)
from .observed import Observed, ObservedMount
from .reading import variables_of

NEVER_STARTED = ("created", "exited", "dead", "removing")


def container_of(
    observed: Observed, declared: Container, identity: DeclaredIdentity
) -> Container:
    """Return what makes a container again as it is, under the id of its deployment.

    *declared* says what no container tells: what it is called and needs, when it is
    stopped, and which of its variables are no secrets.
    """
    image = observed.image_config or {}
    given = variables_of(image.get("Env")).items()
    own = {n: v for n, v in observed.environment.items() if (n, v) not in given}
    plain = {n: v for n, v in own.items() if n in declared.environment}
    labels = {n: v for n, v in observed.labels.items() if n.startswith(LABEL)}
    return Container(
        name=observed.name,
        service=declared.service,
        component=labels.get(COMPONENT_LABEL, declared.component),
        agent=labels.get(AGENT_LABEL),
        image=identity.references[declared.service],
        image_id=observed.image_id,
        entrypoint=observed.arguments,
        environment=plain,
        secret_environment={n: v for n, v in own.items() if n not in plain},
        labels={**labels, ID_LABEL: identity.id},
        user=observed.user or None,
        working_directory=observed.working_directory or None,
        mounts=tuple(_mount(one, declared) for one in observed.mounts),
        networks=observed.networks,
        ports=observed.ports,
        health=observed.check,
        restart=observed.restart,
        stop_grace_seconds=observed.stop_grace_seconds,
        needs=declared.needs,
        stop_order=declared.stop_order,
        start=observed.state not in NEVER_STARTED,
        **_walls(observed),
    )


def _walls(observed: Observed) -> dict[str, Any]:
    """Return what keeps it in, and how much it may take."""
    capabilities, limits = observed.capabilities, observed.limits
    dropped = capabilities.get("drop", ())
    return {
        "read_only": observed.read_only,
        "capabilities": capabilities.get("add", ()) if "ALL" in dropped else None,
        "no_new_privileges": bool(observed.security.get("no_new_privileges")),
        "init": observed.init,
        "memory_bytes": limits.get("memory_bytes"),
        "cpus": limits.get("cpus"),
        "max_tasks": limits.get("max_tasks"),
        "temporary": observed.temporary,
        "log_bytes": observed.logging.get("log_bytes"),
        "log_files": observed.logging.get("log_files"),
    }


def _mount(one: ObservedMount, declared: Container) -> EffectiveMount:
    return EffectiveMount(
        component=declared.component,
        agent=declared.agent,
        entry="",
        type=one.type,
        source=one.source,
        target=one.target,
        requested=one.access,
        effective=one.access,
    )
