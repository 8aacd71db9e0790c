# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""The run that every module shares: plan, apply, and read again."""

from __future__ import annotations

from collections.abc import Mapping
from types import ModuleType
from typing import Any

import pytest
from ansible_collections.agentkeep.agents.plugins.module_utils._argument_spec import (
    ArgumentSpec,
)
from ansible_collections.agentkeep.agents.plugins.module_utils._errors import (
    InvalidInput,
)
from ansible_collections.agentkeep.agents.plugins.module_utils._plan import (
    NOTHING,
    Plan,
)
from ansible_collections.agentkeep.agents.plugins.module_utils._reconcile import (
    Reconciliation,
    report,
    run,
)

SPEC = ArgumentSpec({"level": {"type": "int", "required": True}})


class Tank(ModuleType):
    """A module that fills a tank to a level; a leaky one stays empty."""

    def __init__(self, *, leaky: bool = False) -> None:
        super().__init__("tank")
        self.level = 0
        self.leaky = leaky
        self.applied: list[int] = []

    def main(self) -> None:
        """Run the module."""
        task = Reconciliation(
            noun="tank",
            wanted=self.wanted,
            read=lambda _wanted: self.level,
            plan=self.plan,
            apply=self.apply,
        )
        run(SPEC, task)

    def wanted(self, params: Mapping[str, Any]) -> int:
        """Return the wanted level."""
        if params["level"] < 0:
            raise InvalidInput("Cannot fill the tank", "less than empty", "Add some.")
        return int(params["level"])

    def plan(self, current: int | None, wanted: int) -> Plan:
        """Return what to do."""
        return Plan(
            action=NOTHING if current == wanted else "fill",
            changed=current != wanted,
            before={"level": current},
            after={"level": wanted},
            reasons=(f"{current} -> {wanted}",),
            output={"level": wanted},
        )

    def apply(self, plan: Plan, wanted: int) -> Plan:
        """Fill the tank."""
        self.applied.append(wanted)
        self.level = 0 if self.leaky else wanted
        return plan


def test_difference_is_applied_once(run_module: Any) -> None:
    tank = Tank()

    first = run_module(tank, {"level": 3}, diff=True)
    second = run_module(tank, {"level": 3})

    assert (first.changed, second.changed) == (True, False)
    assert first.result["tank"] == {"level": 3}
    assert first.result["diff"] == {"before": {"level": 0}, "after": {"level": 3}}
    assert "diff" not in second.result
    assert tank.applied == [3]


def test_check_mode_applies_nothing(run_module: Any) -> None:
    tank = Tank()

    done = run_module(tank, {"level": 3}, check=True)

    assert done.changed is True
    assert tank.applied == []


def test_what_does_not_stay_is_a_failure(run_module: Any) -> None:
    done = run_module(Tank(leaky=True), {"level": 3})

    assert done.failed is True
    assert "Cannot keep tank as declared" in done.message
    assert "0 -> 3" in done.message


def test_error_of_ours_becomes_a_message(run_module: Any) -> None:
    done = run_module(Tank(), {"level": -1})

    assert done.failed is True
    assert done.message == "Cannot fill the tank: less than empty. Add some."


def test_report_turns_an_error_into_a_message(run_module: Any) -> None:
    class Gauge(ModuleType):
        """A module that only reads, and cannot."""

        def main(self) -> None:
            """Run the module."""
            report(SPEC, "gauge", self.read)

        def read(self, params: Mapping[str, Any]) -> Mapping[str, Any]:
            """Refuse."""
            raise InvalidInput("Cannot read the gauge", "it is dark", "Add light.")

    done = run_module(Gauge("gauge"), {"level": 1})

    assert done.message == "Cannot read the gauge: it is dark. Add light."


def test_merged_options_keep_the_rules_of_both() -> None:
    one = ArgumentSpec({"a": {}}, mutually_exclusive=(("a", "b"),))
    other = ArgumentSpec({"b": {}}, required_by={"b": ("a",)})

    assert one.merge(other).to_kwargs() == {
        "argument_spec": {"a": {}, "b": {}},
        "mutually_exclusive": [["a", "b"]],
        "required_by": {"b": ["a"]},
    }


def test_option_in_both_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="Options declared twice: a"):
        ArgumentSpec({"a": {}}).merge(ArgumentSpec({"a": {}}))


class Careful(ModuleType):
    """A module that only reports, and warns."""

    def main(self) -> None:
        """Run the module."""
        found = {"warnings": ["The mount is left out."]}
        report(ArgumentSpec({}), "tank", lambda _params: found)


def test_what_the_result_warns_of_is_shown(run_module: Any) -> None:
    """C14, D14: a warning in the result is one of the task too."""
    done = run_module(Careful("careful"), {})

    (shown,) = done.result["warnings"]
    assert "The mount is left out." in str(shown)
    assert done.result["tank"] == {"warnings": ["The mount is left out."]}
