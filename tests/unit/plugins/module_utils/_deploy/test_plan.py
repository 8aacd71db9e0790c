# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""What is done with each container, row by row."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from ansible_collections.agentkeep.agents.plugins.module_utils._containers.container import (  # noqa: E501
    Container,
)
from ansible_collections.agentkeep.agents.plugins.module_utils._containers.difference import (  # noqa: E501
    LAYOUT,
    RECREATE,
    START,
    Difference,
)
from ansible_collections.agentkeep.agents.plugins.module_utils._containers.observed import (  # noqa: E501
    Observed,
)
from ansible_collections.agentkeep.agents.plugins.module_utils._deploy.plan import (
    ACTIONS,
    Decision,
    Found,
    plan_containers,
    plan_removal,
)

STOPPED = Difference("state", "exited", "running", heal=START)
IMAGE = Difference("image", "sha256:1", "sha256:2", heal=RECREATE)
MOUNT = Difference("mounts", None, "/data", heal=RECREATE, kind="missing")
RESTART = Difference("restart", "no", "unless-stopped", heal=RECREATE)
OWNER = Difference("source", "0:0", "20101:20101", heal=LAYOUT, kind="owner")


@dataclass(frozen=True)
class Compared:
    """Find the same differences in every container."""

    differences: tuple[Difference, ...] = ()

    def __call__(
        self, container: Container, observed: Observed
    ) -> tuple[Difference, ...]:
        return self.differences


def declared(service: str = "agent-main", order: int = 10) -> Container:
    """Return a declared container."""
    return Container(
        name=f"agentkeep-demo-{service}",
        service=service,
        component=service.partition("-")[0],
        agent=service.partition("-")[2] or None,
        stop_order=order,
        image_id="sha256:2",
    )


def observed(service: str = "agent-main", state: str = "running") -> Observed:
    """Return a container that is there."""
    return Observed(
        id=service,
        name=f"agentkeep-demo-{service}",
        state=state,
        health=None,
        exit_code=0,
        image="image",
        image_id="sha256:1",
        user="1:1",
        working_directory="/",
        arguments=(),
        restart="no",
        stop_grace_seconds=None,
        labels={
            "agentkeep.deployment": "demo",
            "agentkeep.component": service.partition("-")[0],
            "agentkeep.agent": service.partition("-")[2],
        },
    )


def found(service: str = "agent-main", *, ours: bool = True) -> dict[str, Found]:
    """Return what is there, by name."""
    one = observed(service)
    return {one.name: Found(one, ours)}


def action_of(decision: Decision) -> str:
    """Return the one action that was decided on."""
    (step,) = decision.steps
    return step.action


def test_a_missing_container_is_created() -> None:
    """K02: missing → created."""
    decision = plan_containers([declared()], {}, Compared())

    assert action_of(decision) == "created"
    assert decision.steps[0].reasons[0].old == "missing"


def test_a_running_container_that_matches_is_unchanged() -> None:
    """K02: running and matching → unchanged."""
    decision = plan_containers([declared()], found(), Compared())

    assert action_of(decision) == "unchanged"
    assert decision.changes is False


def test_a_stopped_container_that_matches_is_started() -> None:
    """K02: stopped and matching → started, not recreated."""
    assert action_of(plan_containers([declared()], found(), Compared((STOPPED,)))) == (
        "started"
    )


@pytest.mark.parametrize("drift", [IMAGE, MOUNT], ids=["image", "mounts"])
@pytest.mark.parametrize("also", [(), (STOPPED,)], ids=["running", "stopped"])
def test_a_container_that_drifted_is_recreated_with_its_reasons(
    drift: Difference, also: tuple[Difference, ...]
) -> None:
    """K02, K04, K05: image and mount drift → recreated, also where it is stopped."""
    decision = plan_containers([declared()], found(), Compared((drift, *also)))

    assert action_of(decision) == "recreated"
    assert drift in decision.steps[0].reasons


def test_an_undesired_container_of_ours_is_removed() -> None:
    """K02: labelled and not declared, or disabled → removed."""
    decision = plan_containers([], found("agent-old"), Compared())

    assert action_of(decision) == "removed"
    assert decision.steps[0].service == "agent-old"
    assert decision.steps[0].agent == "old"


def test_a_container_that_is_not_ours_and_not_declared_is_left_alone() -> None:
    """K02, D20: unknown name → nothing is done."""
    assert plan_containers([], found("other", ours=False), Compared()).steps == ()


def test_a_foreign_container_of_our_name_is_refused() -> None:
    """K12: it is in no list, and so never touched."""
    decision = plan_containers([declared()], found(ours=False), Compared((IMAGE,)))

    assert action_of(decision) == "foreign"
    assert all(names == [] for names in decision.lists().values())


def test_a_lazy_agent_that_becomes_hot_is_recreated() -> None:
    """K11: the restart policy differs, which a start would not put right."""
    decision = plan_containers([declared()], found(), Compared((RESTART, STOPPED)))

    assert action_of(decision) == "recreated"


def test_what_only_the_layout_can_heal_is_a_reason_and_no_action() -> None:
    """K03: a re-owned source is reported; recreating would not help."""
    (step,) = plan_containers([declared()], found(), Compared((OWNER,))).steps

    assert step.action == "unchanged"
    assert step.faults_of_layout == (OWNER,)
    assert step.for_output()["drifted"] is True


def test_the_lists_are_disjoint_and_hold_every_container() -> None:
    """K01: created, started, recreated, removed, unchanged."""
    there = {**found("agent-main"), **found("agent-old"), **found("control")}

    lists = plan_containers(
        [declared(), declared("control", 0), declared("gateway", 20)],
        there,
        Compared(),
    ).lists()

    names = [name for action in ACTIONS for name in lists[action]]
    assert sorted(names) == ["agent-main", "agent-old", "control", "gateway"]
    assert lists["created"] == ["gateway"]
    assert lists["removed"] == ["agent-old"]


def test_work_comes_to_its_end_before_what_it_needs_is_replaced() -> None:
    """K14: control is stopped first and started again when an agent is replaced."""

    def compare(container: Container, _observed: Observed) -> tuple[Difference, ...]:
        return (IMAGE,) if container.service == "agent-main" else ()

    decision = plan_containers(
        [declared(), declared("control", 0)],
        {**found(), **found("control")},
        compare,
    )

    assert decision.drained == ("control",)
    assert decision.lists()["unchanged"] == ["control"]


def test_a_removal_takes_all_that_is_ours_and_nothing_else() -> None:
    """A18, D20: by label, never by name."""
    there = {**found(), **found("other", ours=False)}

    assert [step.service for step in plan_removal(there).steps] == ["agent-main"]
