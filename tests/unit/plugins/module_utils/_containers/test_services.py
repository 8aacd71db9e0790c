# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Services of a deployment: what agents change, secrets, and who needs whom."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.agentkeep.agents.plugins.module_utils._containers import (
    services as module,
)
from ansible_collections.agentkeep.agents.plugins.module_utils._errors import (
    InvalidInput,
)
from ansible_collections.agentkeep.agents.plugins.module_utils._state import (
    deployment as place,
)

Services = module.Services


@pytest.fixture
def deployment(params: dict[str, Any]) -> place.Deployment:
    """Return two agents, of which the second has its own model."""
    params["agents"][1]["service"] = {
        "environment": {"MODEL": "small"},
        "memory_bytes": 500_000_000,
    }
    return place.Deployment.from_params(params)


SERVICES = {
    "agent": {"image": "one:1", "environment": {"MODEL": "large", "TZ": "UTC"}},
    "control": {"image": "one:1", "needs": ["gateway"]},
    "gateway": {"image": "one:1"},
}


def test_an_agent_changes_single_variables(deployment: place.Deployment) -> None:
    found = Services.from_params(SERVICES, deployment)

    main, mail = found.of("agent", "main"), found.of("agent", "mail")
    assert main is not None
    assert mail is not None
    assert main.environment == {"MODEL": "large", "TZ": "UTC"}
    assert mail.environment == {"MODEL": "small", "TZ": "UTC"}
    assert (main.memory_bytes, mail.memory_bytes) == (None, 500_000_000)


def test_a_containers_own_secret_wins(deployment: place.Deployment) -> None:
    secrets = {"agent": {"KEY": "a", "B": "b"}, "agent-mail": {"KEY": "own"}}

    found = Services.from_params(SERVICES, deployment, secrets)

    assert found.agents["main"].secret_environment == {"KEY": "a", "B": "b"}
    assert found.agents["mail"].secret_environment == {"KEY": "own", "B": "b"}
    assert "own" not in repr(found)


REFUSED = [
    ({**SERVICES, "redis": {"image": "x"}}, None, "no component has that name"),
    ({**SERVICES, "control": {"image": "x", "needs": ["redis"]}}, None, "needs"),
    (
        {**SERVICES, "gateway": {"image": "x", "needs": ["control"]}},
        None,
        "in a circle: control, gateway",
    ),
    (SERVICES, {"redis": {"A": "b"}}, "no service has that name"),
    (SERVICES, {"control": {"A": "canary\n"}}, "holds a line end"),
    (
        {**SERVICES, "control": {"image": "x", "environment": {"A": "b"}}},
        {"control": {"A": "b"}},
        "is in environment and in secret_environment",
    ),
    ([], None, "it is no mapping"),
]


@pytest.mark.parametrize(("services", "secrets", "why"), REFUSED)
def test_services_that_cannot_work_are_refused(
    services: Any, secrets: Any, why: str, deployment: place.Deployment
) -> None:
    with pytest.raises(InvalidInput) as caught:
        Services.from_params(services, deployment, secrets)

    assert why in str(caught.value)
    assert "canary" not in str(caught.value)
