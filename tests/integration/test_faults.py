# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""K03: every fault is found as what it is, healed, and nothing else is found.

One deployment has an agent for each fault of the table. All faults are injected for
real, then one run in check mode says what it sees, one real run heals, and one more is
silent.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from engine_api import ask, make_anew, order_of
from fault_deployment import FAULTS, SECRET, declared_at
from fault_table import Case, Fault
from modules import IMAGE, Declaration, ModuleFailed, Result
from running import docker

OTHER_IMAGE = "agentkeep/test-other:1"


@dataclass(frozen=True)
class Story:
    """What the runs said: before the faults, with them, when healed, and after."""

    before: Result
    found: Result
    healed: Result
    after: Result
    ids: dict[str, dict[str, str]]


@pytest.fixture(scope="module")
def other_image() -> Iterator[str]:
    """An image that is configured like the other and is another."""
    container = docker("create", IMAGE, "true")
    try:
        docker("commit", container, OTHER_IMAGE)
    finally:
        docker("rm", container)
    yield OTHER_IMAGE
    docker("rmi", OTHER_IMAGE)


@pytest.fixture(scope="module")
def declaration(
    tmp_path_factory: pytest.TempPathFactory, other_image: str
) -> Iterator[Declaration]:
    """A running deployment with an agent for each fault."""
    one = declared_at(tmp_path_factory.mktemp("faults") / "root")
    one.destroy()
    try:
        one.run()
        yield one
    finally:
        one.destroy()


@pytest.fixture(scope="module")
def story(declaration: Declaration, other_image: str) -> Story:
    """All faults, injected, found and healed."""
    before = declaration.check()
    ids = {"before": declaration.containers_there()}
    for number, fault in enumerate(FAULTS):
        fault.inject(Case(declaration, f"f{number:02}", other_image))
    ids["faulty"] = declaration.containers_there()
    found = declaration.check()
    ids["checked"] = declaration.containers_there()
    healed = declaration.run()
    ids["healed"] = declaration.containers_there()
    return Story(before, found, healed, declaration.check(), ids)


CASES = pytest.mark.parametrize(
    ("number", "fault"),
    [pytest.param(n, fault, id=fault.name) for n, fault in enumerate(FAULTS)],
)


def laid(result: Result, declaration: Declaration, number: int) -> tuple[str, ...]:
    """Return what was done, or would be, with the directories of one agent."""
    own = f"{declaration.directory}/agents/f{number:02}/"
    changes = result.of("state_layout")["changes"]
    return tuple(one["action"] for one in changes if one["path"].startswith(own))


def filed(result: Result, number: int) -> tuple[str, ...]:
    """Return what was done, or would be, with the files of one agent."""
    return tuple(
        one["action"]
        for one in result.of("deployment")["files"]
        if one["agent"] == f"f{number:02}" and one["action"] != "unchanged"
    )


def test_a_clean_deployment_raises_no_alarm(story: Story) -> None:
    assert not story.before.changed
    assert [
        (one["service"], one["reasons"])
        for one in story.before.of("deployment")["containers"]
        if one["reasons"] or one["drifted"]
    ] == []


@CASES
def test_a_fault_is_found_as_what_it_is_and_as_nothing_else(
    story: Story, declaration: Declaration, number: int, fault: Fault
) -> None:
    """K03, K04, K05, B18."""
    said = story.found.container(f"agent-f{number:02}")

    assert story.found.reasons(f"agent-f{number:02}") == fault.found
    assert said["action"] == fault.healed
    assert laid(story.found, declaration, number) == fault.laid
    assert filed(story.found, number) == fault.files
    assert said["drifted"] == bool(fault.found)


@CASES
def test_a_fault_is_healed_as_it_was_foretold(
    story: Story, declaration: Declaration, number: int, fault: Fault
) -> None:
    """K02, K13."""
    name = f"{declaration.project}-agent-f{number:02}"
    same = story.ids["faulty"].get(name) == story.ids["healed"][name]

    assert story.healed.container(f"agent-f{number:02}")["action"] == fault.healed
    assert laid(story.healed, declaration, number) == fault.laid
    assert filed(story.healed, number) == fault.files
    assert same == (fault.healed in ("started", "unchanged"))


def test_looking_changes_no_container(story: Story) -> None:
    """K13."""
    assert story.ids["checked"] == story.ids["faulty"]


def test_what_had_no_fault_is_left_alone(story: Story) -> None:
    name = "agentkeep-faults-control"

    assert story.ids["before"][name] == story.ids["healed"][name]


def test_a_healed_deployment_raises_no_alarm(story: Story) -> None:
    assert not story.after.changed
    assert story.after.actions.keys() == {"unchanged"}


def test_no_value_of_a_secret_is_told(story: Story) -> None:
    """K05, D10."""
    for run in (story.before, story.found, story.healed, story.after):
        assert SECRET not in str(run.said)
        assert "stolen" not in str(run.said)


def as_binds(order: dict[str, Any]) -> None:
    """B18, B19: write every mount in the short syntax, with an option."""
    own = order["HostConfig"]
    own["Binds"] = [
        f"{one['Source']}:{one['Target']}:{'ro' if one.get('ReadOnly') else 'rw'},z"
        for one in own.pop("Mounts")
    ]


def test_what_is_no_fault_is_not_reported(
    story: Story, declaration: Declaration
) -> None:
    """B18, B19: another syntax, a restart and what agents write are no drift."""
    agent = f"{declaration.project}-agent"
    make_anew(f"{agent}-f00", lambda order: None)
    make_anew(f"{agent}-f01", as_binds)
    docker("restart", f"{agent}-f02")
    docker(
        "exec", f"{agent}-f03", "sh", "-c", "mkdir -p /data/memory/x; >/data/memory/x/y"
    )
    docker("exec", f"{agent}-f03", "sh", "-c", ">/config/projects/session.jsonl")

    assert not declaration.check().changed


def test_a_container_of_ours_that_nobody_declared_is_removed(
    story: Story, declaration: Declaration
) -> None:
    """K02."""
    name = f"{declaration.project}-agent-extra"
    made_from = ask("GET", f"/containers/{declaration.project}-control/json")
    order = order_of(made_from)
    order["Labels"]["agentkeep.agent"] = "extra"
    ask("POST", f"/containers/create?name={name}", order)

    foreseen, done = declaration.check(), declaration.run()

    assert foreseen.actions["removed"] == done.actions["removed"] == ["agent-extra"]
    assert name not in declaration.containers_there()
    assert not declaration.check().changed


def test_a_container_of_somebody_else_with_our_name_is_refused_and_not_touched(
    story: Story, declaration: Declaration
) -> None:
    """K12."""
    name = f"{declaration.project}-agent-f04"
    docker("stop", f"{declaration.project}-agent-f05")
    make_anew(name, lambda order: order["Labels"].pop("agentkeep.deployment"))
    before = declaration.containers_there()

    for check in (True, False):
        with pytest.raises(ModuleFailed, match=name):
            declaration.run(check=check)

    assert declaration.containers_there() == before
    docker("rm", "--force", name)
    healed = declaration.run().actions
    assert (healed["created"], healed["started"]) == (["agent-f04"], ["agent-f05"])


def test_the_table_of_faults_and_detections(
    story: Story, declaration: Declaration, capsys: pytest.CaptureFixture[str]
) -> None:
    lines, hits = [], 0
    for number, fault in enumerate(FAULTS):
        said = story.found.container(f"agent-f{number:02}")
        seen = {
            f"{field} {kind}" for field, kind in story.found.reasons(said["service"])
        }
        seen |= {f"layout {step}" for step in laid(story.found, declaration, number)}
        seen |= {f"file {step}" for step in filed(story.found, number)}
        hits += bool(seen)
        told = ", ".join(sorted(seen)) or "NOT FOUND"
        lines.append(f"{fault.name:52} {told:32} {said['action']}")
    with capsys.disabled():
        print("\n" + "\n".join(lines))
        print(f"{hits} of {len(FAULTS)} faults found, 0 false alarms")

    assert hits == len(FAULTS)
