# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""The module deployment on a real engine: what runs becomes what is declared."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from module_runs import AGENT_UID, BASE, FILES, Small, entry
from running import docker


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Small]:
    """A deployment that is laid out and not deployed."""
    one = Small(tmp_path / "state", options={"files": FILES})
    one.lay_out()
    try:
        yield one
    finally:
        one.destroy()


@pytest.fixture
def deployed(small: Small) -> Small:
    """A deployment that runs."""
    run = small.deploy()
    assert not run.failed, run.message
    return small


def test_the_first_run_creates_and_the_second_changes_nothing(small: Small) -> None:
    """K01, K02, K13, A17, D02: check mode predicts, and then all is as declared."""
    predicted = small.deploy(check=True)
    assert small.listed() == {}

    first = small.deploy()
    compose = (small.root / "compose.yml").read_bytes()
    before = small.listed()
    second = small.deploy()

    assert predicted.lists() == first.lists()
    assert first.lists()["created"] == ["agent-main", "control"]
    assert second.lists()["unchanged"] == ["agent-main", "control"]
    assert second.result["changed"] is False
    assert small.listed() == before
    assert (small.root / "compose.yml").read_bytes() == compose


def test_a_stopped_container_is_started_and_keeps_its_id(deployed: Small) -> None:
    """K02: stopped and right → started."""
    id_before = deployed.inspect("agent-main")["Id"]
    docker("stop", "--time=1", f"agentkeep-{deployed.name}-agent-main")

    predicted, done = deployed.deploy(check=True), deployed.deploy()

    assert predicted.lists() == done.lists()
    assert done.lists()["started"] == ["agent-main"]
    assert deployed.inspect("agent-main")["Id"] == id_before
    assert deployed.inspect("agent-main")["State"]["Running"]


def test_a_container_without_a_declared_mount_is_made_anew_and_keeps_its_data(
    deployed: Small,
) -> None:
    """K04, K06: the mount is there afterwards, and so is what was written."""
    name = f"agentkeep-{deployed.name}-agent-main"
    transcript = deployed.root / "agents/main/memory/.claude/projects/one.jsonl"
    transcript.write_text("kept")
    labels = deployed.inspect("agent-main")["Config"]["Labels"]
    docker("rm", "--force", name)
    docker(
        *("run", "--detach", "--name", name, "--network=none", "--init"),
        *(f"--label={key}={value}" for key, value in labels.items()),
        *(BASE, "sleep", "infinity"),
    )

    predicted, done = deployed.deploy(check=True), deployed.deploy()

    assert predicted.lists() == done.lists()
    assert done.lists()["recreated"] == ["agent-main"]
    assert "mounts" in done.reasons("agent-main")
    kept = "/data/memory/.claude/projects/one.jsonl"
    assert deployed.within("agent-main", "cat", kept) == "kept"


def test_a_directory_that_was_replaced_on_the_host_is_noticed(deployed: Small) -> None:
    """K03, K08: the container holds the old one open; made anew it has the new one."""
    memory = deployed.root / "agents/main/memory"
    memory.rename(memory.with_name("moved"))
    deployed.lay_out()

    done = deployed.deploy()
    (memory / "new").write_text("seen")

    assert done.lists()["recreated"] == ["agent-main"]
    assert done.reasons("agent-main") == ["source"]
    assert deployed.within("agent-main", "cat", "/data/memory/new") == "seen"


def test_an_owner_that_drifted_is_named_and_nothing_is_touched(deployed: Small) -> None:
    """K03: check mode reports it, the run refuses with the module that heals it."""
    memory = deployed.root / "agents/main/memory"
    os.chown(memory, 0, 0)
    before = deployed.listed()

    predicted, done = deployed.deploy(check=True), deployed.deploy()

    assert predicted.reasons("agent-main") == ["source"]
    assert done.failed
    assert "state_layout" in done.message
    assert str(AGENT_UID) in done.message
    assert deployed.listed() == before


def test_a_foreign_container_of_our_name_is_refused(small: Small) -> None:
    """K12: its id is the same afterwards, and nothing of ours was made."""
    name = f"agentkeep-{small.name}-control"
    id_before = docker("run", "--detach", "--name", name, BASE, "sleep", "infinity")
    try:
        run = small.deploy()

        assert run.failed
        assert name in run.message
        assert docker("inspect", "--format={{.Id}}", name) == id_before
        assert small.listed() == {}
    finally:
        docker("rm", "--force", name)


def test_a_container_from_before_deployments_had_ids_is_taken_over(
    small: Small,
) -> None:
    """K12, D19: it carries the deployment's name and no id; made anew it has both."""
    name = f"agentkeep-{small.name}-control"
    label = f"--label=agentkeep.deployment={small.name}"
    docker("run", "--detach", "--name", name, label, BASE, "sleep", "infinity")

    predicted, done = small.deploy(check=True), small.deploy()

    assert predicted.lists() == done.lists()
    assert done.lists()["recreated"] == ["control"]
    labels = small.inspect("control")["Config"]["Labels"]
    assert labels["agentkeep.id"] == done.result["deployment"]["id"]


def test_disabled_agents_are_removed_and_another_deployment_is_not_touched(
    deployed: Small, tmp_path: Path
) -> None:
    """K02, D20: what is not declared goes, by label and id, and nothing else."""
    other = Small(tmp_path / "other", options={"files": FILES})
    try:
        other.lay_out()
        assert not other.deploy().failed
        theirs = other.listed()
        agents = [{"name": "main", "uid": AGENT_UID, "enabled": False}]

        done = deployed.deploy(agents=agents)

        assert done.lists()["removed"] == ["agent-main"]
        assert list(deployed.listed()) == [f"agentkeep-{deployed.name}-control"]
        assert not deployed.deploy(state="absent").failed
        assert other.listed() == theirs
    finally:
        other.destroy()


def test_a_lazy_agent_is_made_and_not_started_and_turning_it_hot_is_drift(
    small: Small,
) -> None:
    """K11: its restart policy is no; without lazy it is made anew and runs."""
    agent = {"name": "main", "uid": AGENT_UID}

    first = small.deploy(agents=[{**agent, "lazy": True}])
    again = small.deploy(agents=[{**agent, "lazy": True}])
    state = small.inspect("agent-main")
    hot = small.deploy()

    assert first.lists()["created"] == ["agent-main", "control"]
    assert again.result["changed"] is False
    assert state["State"]["Status"] == "created"
    assert state["HostConfig"]["RestartPolicy"]["Name"] == "no"
    assert hot.lists()["recreated"] == ["agent-main"]
    assert small.inspect("agent-main")["State"]["Running"]


def test_a_silent_engine_is_one_error_and_removes_nothing(deployed: Small) -> None:
    """K09, D23: with a wait it is asked until the wait is over."""
    before = deployed.listed()

    run = deployed.deploy(engine_socket="/run/no-such.sock", engine_wait_seconds=1)

    assert run.failed
    assert "/run/no-such.sock" in run.message
    assert deployed.listed() == before


def test_the_information_is_the_same_comparison_and_changes_nothing(
    deployed: Small,
) -> None:
    """B08, K03: drift is found without files and secrets, too."""
    docker("stop", "--time=1", f"agentkeep-{deployed.name}-agent-main")
    before = deployed.listed()

    found = deployed.information(files=[]).result["deployment_info"]

    assert found["drifted"] == ["agent-main"]
    assert found["interrupted"] is False
    assert deployed.listed() == before


def test_containers_of_another_program_are_found_by_their_labels(
    tmp_path: Path,
) -> None:
    """B08: only what is declared of them is compared."""
    names = [f"{tmp_path.name[-20:]}-{number}" for number in (1, 2)]
    source = tmp_path / "other/groups/main"
    source.mkdir(parents=True)
    for name, target in zip(names, ("/workspace/agent", "/elsewhere"), strict=True):
        docker(
            *("run", "--detach", "--name", name, "--label=group=main"),
            *(f"--volume={source}:{target}", BASE, "sleep", "infinity"),
        )
    options = {
        "managed": False,
        "inventory": [entry("workspace", "agent", "/workspace/agent", source="main")],
        "places": {"agent": "{deployment}/groups/{source}"},
        "services": {"agent": {"find": {"labels": {"group": "{agent}"}}}},
        "components": {},
    }
    small = Small(tmp_path, "other", options)
    try:
        run = small.information()

        assert not run.failed, run.output
        found = run.result["deployment_info"]["containers"]
        fields = {one["name"]: [r["field"] for r in one["reasons"]] for one in found}
        assert list(fields) == names
        assert "mounts" not in fields[names[0]]
        assert "mounts" in fields[names[1]]
        assert {one["state"] for one in found} == {"running"}
    finally:
        docker("rm", "--force", *names)
