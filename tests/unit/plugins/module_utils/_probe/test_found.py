# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Which container of the engine is a declared one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
from ansible_collections.agentkeep.agents.plugins.module_utils._containers.container import (  # noqa: E501
    Container,
)
from ansible_collections.agentkeep.agents.plugins.module_utils._containers.parts import (  # noqa: E501
    Find,
)
from ansible_collections.agentkeep.agents.plugins.module_utils._probe.found import (
    Running,
    found_id,
)

OURS = {"agentkeep.deployment": "demo", "agentkeep.agent": "main"}
NAME = "agentkeep-demo-agent-main"


@dataclass(frozen=True)
class One:
    """A container as the engine lists it."""

    name: str = NAME
    labels: Mapping[str, str] = field(default_factory=lambda: OURS)
    id: str = "abc"


@pytest.mark.parametrize(
    ("listed", "found"),
    [
        (One(), "abc"),
        (One(name="agentkeep-demo-agent-mail"), None),
        (One(labels={}), None),
        (One(labels={**OURS, "agentkeep.deployment": "other"}), None),
        (One(labels={**OURS, "agentkeep.agent": "mail"}), None),
    ],
)
def test_a_container_of_ours_has_our_name_and_our_labels(
    listed: One, found: str | None
) -> None:
    """K12: one that only has our name is not looked into."""
    container = Container(name=NAME, agent="main", component="agent")

    assert found_id(container, "demo", [listed]) == found


@pytest.mark.parametrize(
    ("find", "found"),
    [
        (Find(labels={"group": "main"}), "abc"),
        (Find(labels={"group": "mail"}), None),
        (Find(name="nanoclaw-main-*"), "abc"),
        (Find(labels={"group": "main"}, name="other-*"), None),
        (None, None),
    ],
)
def test_a_container_of_another_program_is_found_as_declared(
    find: Find | None, found: str | None
) -> None:
    container = Container(managed=False, agent="main", find=find)
    listed = One(name="nanoclaw-main-17", labels={"group": "main"})

    assert found_id(container, "demo", [listed]) == found


@pytest.mark.parametrize(
    ("state", "runs", "settled"),
    [
        ({"Status": "running", "Pid": 7}, True, True),
        (
            {"Status": "running", "Pid": 7, "Health": {"Status": "starting"}},
            True,
            False,
        ),
        (
            {"Status": "running", "Pid": 7, "Health": {"Status": "unhealthy"}},
            True,
            True,
        ),
        ({"Status": "restarting", "Pid": 0}, False, False),
        ({"Status": "exited", "Pid": 0}, False, False),
    ],
)
def test_a_container_is_probed_when_its_health_has_spoken(
    state: dict[str, Any], runs: bool, settled: bool
) -> None:
    """J15."""
    running = Running.from_inspect({"Id": "abc", "State": state, "Mounts": []})

    assert (running.runs, running.settled) == (runs, settled)


def test_a_container_that_is_gone_is_missing() -> None:
    assert Running.from_inspect(None).status == "missing"
