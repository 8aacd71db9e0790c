# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""K12: a network or volume of our name is used if we made it, and refused if not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from ansible_collections.agentkeep.agents.plugins.module_utils._containers.container import (  # noqa: E501
    Container,
)
from ansible_collections.agentkeep.agents.plugins.module_utils._containers.services import (  # noqa: E501
    Services,
)
from ansible_collections.agentkeep.agents.plugins.module_utils._deploy.release import (
    Release,
    ReleasedService,
)
from ansible_collections.agentkeep.agents.plugins.module_utils._deploy.wanted import (
    Wanted,
)
from ansible_collections.agentkeep.agents.plugins.module_utils._engine.engine import (
    Engine,
)
from ansible_collections.agentkeep.agents.plugins.module_utils._errors import (
    DeploymentRefused,
)
from ansible_collections.agentkeep.agents.plugins.module_utils._mounts.effective import (  # noqa: E501
    MountList,
)
from ansible_collections.agentkeep.agents.plugins.module_utils._mounts.mount import (
    EffectiveMount,
)
from ansible_collections.agentkeep.agents.plugins.module_utils._release.resources import (  # noqa: E501
    Resources,
)
from ansible_collections.agentkeep.agents.plugins.module_utils._state.deployment import (  # noqa: E501
    Deployment,
)

OURS = "f" * 32
NETWORK = "agentkeep-demo-inner"
VOLUME = "agentkeep-demo-queue"


@dataclass
class Having(Engine):
    """An engine that has everything already, with the same labels."""

    labels: Any

    def network(self, name: str) -> Any:
        return {"Name": name, "Labels": self.labels}

    def volume(self, name: str) -> Any:
        return {"Name": name, "Labels": self.labels, "Driver": "remote"}

    def tag(self, image_id: str, repository: str, tag: str) -> None:
        """Have every image named."""


def make(params: Any, labels: Any, kind: str) -> None:
    """Ask for a network or a volume that an engine has with those labels."""
    known = ("data_root", "deployment", "inventory", "agents", "components")
    deployment = Deployment.from_params({key: params[key] for key in known})
    wanted = Wanted(deployment, MountList(()), Services())
    if kind == "network":
        one = ReleasedService(
            container="agentkeep-demo-control",
            component="control",
            image_id=f"sha256:{OURS}",
            wave=0,
            stop_order=0,
            start=True,
            networks=(NETWORK,),
        )
        Resources(Having(labels), wanted, OURS).make(Release("now", {"control": one}))
    else:
        mount = EffectiveMount(
            component="control",
            agent=None,
            entry="queue",
            type="volume",
            source=VOLUME,
            target="/data/queue",
            requested="rw",
            effective="rw",
        )
        container = Container(mounts=(mount,))
        Resources(Having(labels), wanted, OURS).make(Release("now", {}), [container])


KINDS = ("network", "volume")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "labels",
    [
        {"agentkeep.deployment": "demo", "agentkeep.id": OURS},
        {"agentkeep.deployment": "demo"},
        {"com.docker.compose.project": "agentkeep-demo"},
    ],
)
def test_what_this_deployment_made_is_used(params: Any, labels: Any, kind: str) -> None:
    make(params, labels, kind)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("labels", "why"),
    [
        (None, "no label of this deployment"),
        ({}, "no label of this deployment"),
        ({"com.docker.compose.project": "other"}, "no label of this deployment"),
        ({"agentkeep.deployment": "other"}, "no label of this deployment"),
        (
            {"agentkeep.deployment": "demo", "agentkeep.id": "0" * 32},
            "belongs to another deployment of that name",
        ),
    ],
)
def test_what_somebody_else_made_is_refused_by_name(
    params: Any, labels: Any, why: str, kind: str
) -> None:
    name = NETWORK if kind == "network" else VOLUME

    with pytest.raises(DeploymentRefused, match=f'the {kind} "{name}".*{why}'):
        make(params, labels, kind)
