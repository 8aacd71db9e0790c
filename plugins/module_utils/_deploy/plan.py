# Copyright: (c) 2026, The Agentkeep authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is done with each container so that what runs is what is declared."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Callable, Iterable, Mapping, Tuple

from .._containers.compare import differences
from .._containers.container import Container
from .._containers.difference import LAYOUT, RECREATE, START, Difference
from .._containers.observed import Observed

CREATED = "created"
STARTED = "started"
RECREATED = "recreated"
REMOVED = "removed"
UNCHANGED = "unchanged"
FOREIGN = "foreign"
Compare = Callable[[Container, Observed], Tuple[Difference, ...]]
ACTIONS = (CREATED, STARTED, RECREATED, REMOVED, UNCHANGED)


@dataclass(frozen=True)
class Found:
    """Hold a container that is there, and whether it is this deployment's."""

    observed: Observed
    ours: bool


@dataclass(frozen=True)
class Step:
    """Hold what is done with one container, and why."""

    name: str
    service: str
    component: str
    agent: str | None
    action: str
    reasons: tuple[Difference, ...] = ()
    container: Container | None = None
    observed: Observed | None = None

    @property
    def faults_of_layout(self) -> tuple[Difference, ...]:
        """Return what only state_layout can put right."""
        return tuple(one for one in self.reasons if one.heal == LAYOUT)

    def for_output(self) -> dict[str, Any]:
        """Return the decision for the module's result."""
        mounts = self.container.mounts if self.container else ()
        return {
            "name": self.name,
            "service": self.service,
            "component": self.component,
            "agent": self.agent,
            "action": self.action,
            "reasons": [one.for_output() for one in self.reasons],
            "drifted": bool(self.reasons) or self.action not in (UNCHANGED, CREATED),
            "state": self.observed.state if self.observed else "missing",
            "health": self.observed.health if self.observed else None,
            "mounts": [one.for_output() for one in mounts],
        }


@dataclass(frozen=True)
class Decision:
    """Hold what is done with every container, in the order of their names."""

    steps: tuple[Step, ...]
    drained: tuple[str, ...] = ()

    @property
    def changes(self) -> bool:
        """Return whether anything is done."""
        return any(step.action in ACTIONS[:-1] for step in self.steps)

    def of(self, *actions: str) -> tuple[Step, ...]:
        """Return the steps with one of the actions."""
        return tuple(step for step in self.steps if step.action in actions)

    def lists(self) -> dict[str, list[str]]:
        """Return the short names by action; none stands in two of them (K01)."""
        by_action = {
            action: sorted(step.service for step in self.of(action))
            for action in ACTIONS
        }
        drained = sorted(self.drained)
        return {**by_action, "drained": drained}


def plan_containers(
    declared: Iterable[Container],
    found: Mapping[str, Found],
    compare: Compare = differences,
) -> Decision:
    """Given what is declared and what is there by name, return what is done (K02)."""
    wanted = {one.name: one for one in declared}
    steps = [
        _step_for(wanted[name], found.get(name), compare)
        if name in wanted
        else _removal(found[name].observed)
        for name in sorted({*wanted, *(n for n, one in found.items() if one.ours)})
    ]
    return Decision(steps=tuple(steps), drained=_drained(steps))


def plan_removal(found: Mapping[str, Found]) -> Decision:
    """Given what is there, return the removal of all that is this deployment's."""
    return Decision(
        tuple(
            _removal(one.observed) for _name, one in sorted(found.items()) if one.ours
        )
    )


def _step_for(container: Container, found: Found | None, compare: Compare) -> Step:
    if found is None:
        reason = Difference("state", "missing", "present", kind="missing")
        return _step(container, CREATED, (reason,), None)
    if not found.ours:
        return _step(container, FOREIGN, (), found.observed)
    reasons = compare(container, found.observed)
    healed_by = {one.heal for one in reasons}
    if RECREATE in healed_by:
        return _step(container, RECREATED, reasons, found.observed)
    if START in healed_by:
        return _step(container, STARTED, reasons, found.observed)
    return _step(container, UNCHANGED, reasons, found.observed)


def _step(
    container: Container,
    action: str,
    reasons: tuple[Difference, ...],
    observed: Observed | None,
) -> Step:
    return Step(
        name=container.name,
        service=container.service,
        component=container.component,
        agent=container.agent,
        action=action,
        reasons=reasons,
        container=container,
        observed=observed,
    )


def _removal(observed: Observed) -> Step:
    labels = observed.labels
    component = labels.get("agentkeep.component", "")
    agent = labels.get("agentkeep.agent") or None
    prefix = f"agentkeep-{labels.get('agentkeep.deployment', '')}-"
    name = observed.name
    return Step(
        name=name,
        service=name[len(prefix) :] if name.startswith(prefix) else name,
        component=component,
        agent=agent,
        action=REMOVED,
        reasons=(Difference("state", "present", "not declared", kind="extra"),),
        observed=observed,
    )


def _drained(steps: list[Step]) -> tuple[str, ...]:
    """Return what is stopped first and started again, so that work can end (K14).

    Work comes in through the containers that are stopped first. They must not send it
    to one that is just being replaced.
    """
    declared = [step.container for step in steps if step.container is not None]
    if not declared:
        return ()
    first = min(one.stop_order for one in declared)
    disturbed = any(
        step.action == RECREATED
        and step.container is not None
        and step.container.stop_order > first
        and step.observed is not None
        and step.observed.running
        for step in steps
    )
    return tuple(
        step.service
        for step in steps
        if disturbed
        and step.action == UNCHANGED
        and step.container is not None
        and step.container.stop_order == first
        and step.observed is not None
        and step.observed.running
    )
