# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Runs that fail or are killed: the next one finishes or undoes what they began."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from module_runs import Params, Small, begin, ended, wait_until
from running import docker

STEPS = ("begun", "prepared", "stopped", "written", "replaced", "undoing")
HEALTH: Params = {"shell": "true", "interval_seconds": 0.3, "retries": 1}
FAILING: Params = {**HEALTH, "shell": "echo canary-of-health $KEY; false"}


def files(content: str) -> list[Params]:
    """Return the declared files with one content."""
    return [{"entry": "settings", "name": "settings.json", "content": content}]


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Small]:
    """A deployment that runs its first release."""
    one = Small(tmp_path / "state", options={"health_wait_seconds": 30})
    one.options.update(files=files("first"), services=one.service("control"))
    one.options["services"]["control"]["health"] = HEALTH
    one.options["secret_environment"] = {"control": {"KEY": "secret-first"}}
    one.lay_out()
    try:
        run = one.deploy()
        assert not run.failed, run.message
        yield one
    finally:
        one.destroy()


def second(small: Small, health: Params | None = None) -> Params:
    """Return the options of another release."""
    return {
        "files": files("second"),
        "services": small.service(
            "control", health=health or HEALTH, environment={"NEW": "1"}
        ),
        "secret_environment": {"control": {"KEY": "secret-second"}},
        "agents": [
            {"name": "main", "uid": 21501},
            {"name": "more", "uid": 21502},
        ],
    }


def from_step(step: str) -> tuple[str, ...]:
    """Return a step and those after it: some pass faster than one can look."""
    return STEPS[STEPS.index(step) :]


def state(small: Small) -> Params:
    """Return what a release is made of, as it is now."""
    control = small.inspect("control")
    environment = control["Config"]["Env"]
    return {
        "containers": sorted(small.listed()),
        "running": all("running" in one for one in small.listed().values()),
        "settings": (small.root / "shared/settings/settings.json").read_text(),
        "secret": sorted(
            one for one in environment if one.startswith(("KEY=", "NEW="))
        ),
        "label": control["Config"]["Labels"]["agentkeep.settings"],
        "compose": (small.root / "compose.yml").read_text(),
        "kept": (small.root / "environment/control.env").read_text(),
        "index": json.loads((small.root / "releases/index.json").read_text()),
    }


def test_a_release_that_fails_leaves_everything_as_it_was(small: Small) -> None:
    """K15, J15: image, compose file, settings and secrets; the error has the logs."""
    before = state(small)
    small.lay_out(agents=second(small)["agents"])
    services = small.service(
        "control",
        command=["sh", "-c", "echo canary-in-log $KEY; sleep infinity"],
        health=FAILING,
    )
    options = {**second(small), "services": services}

    failed = small.deploy(**options)
    after = state(small)
    again = small.deploy()

    assert failed.failed
    assert "canary-in-log •••" in failed.message
    assert "canary-of-health •••" in failed.message
    assert "secret-second" not in failed.output
    assert "put back" in failed.message
    assert after == before
    assert again.result["changed"] is False


def test_where_no_release_is_kept_the_error_names_the_image_of_before(
    small: Small,
) -> None:
    """K15: so it is after an upgrade from a version that kept none."""
    image = small.inspect("control")["Config"]["Image"]
    shutil.rmtree(small.root / "releases")

    failed = small.deploy(services=second(small, FAILING)["services"])

    assert failed.failed
    assert f"The image of before is {image}: deploy it again." in failed.message


def test_the_previous_release_is_put_back_by_hand(small: Small) -> None:
    """K15: and the one that was left becomes the previous one."""
    first = state(small)
    options = second(small)
    small.lay_out(agents=options["agents"])
    assert not small.deploy(**options).failed

    back = small.deploy(**options, state="previous")
    after = state(small)

    assert back.result["deployment"]["restored"]["release"] == first["index"]["current"]
    index = after.pop("index")
    assert index["current"] == first.pop("index")["current"]
    assert after == first


@pytest.mark.parametrize("step", STEPS)
def test_a_killed_run_is_finished_by_the_next_one(small: Small, step: str) -> None:
    """K15: wherever it was killed, the next run ends where it would have ended."""
    options = second(small, FAILING if step == "undoing" else HEALTH)
    small.lay_out(agents=options["agents"])

    assert small.killed_at(*from_step(step), **options), f"it never came to {step}"
    options = second(small)
    predicted = small.deploy(check=True, **options)
    done = small.deploy(**options)
    again = small.deploy(**options)

    assert "interrupted" in predicted.result["deployment"]["warnings"][0]
    assert predicted.result["changed"] is True
    assert not done.failed, done.message
    assert again.result["changed"] is False, again.result["deployment"]
    now = state(small)
    assert now["running"]
    assert now["settings"] == "second"
    assert now["secret"] == ["KEY=secret-second", "NEW=1"]
    assert len(now["containers"]) == 3
    assert not (small.root / "journal.json").exists()


@pytest.mark.parametrize("step", STEPS)
def test_a_killed_run_is_undone_where_the_first_release_is_declared_again(
    small: Small, step: str
) -> None:
    """K15: everything is then as it was before the killed run."""
    before = state(small)
    options = second(small, FAILING if step == "undoing" else HEALTH)
    small.lay_out(agents=options["agents"])

    assert small.killed_at(*from_step(step), **options), f"it never came to {step}"
    done = small.deploy()
    again = small.deploy()

    assert not done.failed, done.message
    assert again.result["changed"] is False
    assert {**state(small), "index": ""} == {**before, "index": ""}


def test_a_killed_run_whose_release_fails_goes_back_to_the_one_before(
    small: Small,
) -> None:
    """K15: what the way back needs outlives the kill."""
    before = state(small)
    options = second(small, FAILING)
    small.lay_out(agents=options["agents"])

    assert small.killed_at("written", **options)
    failed = small.deploy(**options)

    assert failed.failed
    assert state(small) == before


def test_a_container_that_holds_another_directory_after_all_is_made_anew_once(
    small: Small,
) -> None:
    """K08: the directory was swapped while the run waited for another container."""
    agent = {**HEALTH, "shell": "test -e /data/memory/go", "retries": 100}
    services = second(small)["services"]
    services["agent"] = {**services["agent"], "health": agent}
    process = begin("deployment", small.params(services=services))
    database = small.root / "shared/database"
    memory = small.root / "agents/main/memory"
    name = f"agentkeep-{small.name}-agent-main"
    assert wait_until(lambda: "starting" in health_of(name))

    owner = database.stat()
    database.rename(database.with_name("moved"))
    database.mkdir(0o750)
    os.chown(database, owner.st_uid, owner.st_gid)
    (memory / "go").touch()
    done = ended(process)
    (database / "new").write_text("seen")

    assert not done.failed, done.message
    assert small.within("control", "cat", "/data/database/new") == "seen"
    assert small.deploy(services=services).result["changed"] is False


def health_of(name: str) -> str:
    """Return the engine's word on a container's health, if it has one."""
    found = subprocess.run(
        ["docker", "inspect", "--format={{json .State.Health}}", name],
        check=False,
        capture_output=True,
        text=True,
    )
    return found.stdout


def test_a_killed_removal_is_finished_by_the_next_one(small: Small) -> None:
    """A18: nothing of ours is left, and data is."""
    docker("rm", "--force", f"agentkeep-{small.name}-control")

    done = small.deploy(state="absent")

    assert done.lists()["removed"] == ["agent-main"]
    assert small.listed() == {}
    assert (small.root / "agents/main/memory").is_dir()
