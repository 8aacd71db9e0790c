# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""The playbooks watch and report, on a deployment that runs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from running import Deployment, Outcome, docker, play


def watch(deployment: Deployment, **more: Any) -> Outcome:
    """Run the playbook watch."""
    return play("watch", variables=deployment.settings(**more))


def events(deployment: Deployment) -> list[tuple[str, str]]:
    """Return the events of the last watch, each with its service."""
    told = json.loads((deployment.directory / "watch.json").read_text())
    return [(one["event"], one.get("service", "")) for one in told["events"]]


def break_three(deployment: Deployment) -> None:
    """Stop one container, remove one, and give one's directory another mode."""
    docker("stop", "--time=5", f"agentkeep-{deployment.name}-agent-first")
    docker("rm", "--force", f"agentkeep-{deployment.name}-gateway")
    (deployment.directory / "agents/second/workdirs").chmod(0o700)


WRONG = [
    ("state_drifted", ""),
    ("container_stopped", "agent-first"),
    ("container_missing", "gateway"),
    ("container_drifted", "agent-second"),
]


def test_watch_says_what_is_wrong_heals_only_when_told_to_and_then_is_calm(
    deployment: Deployment,
) -> None:
    """K10."""
    break_three(deployment)
    before = deployment.containers()

    looked = watch(deployment)
    seen, after_looking = events(deployment), deployment.containers()
    healed = watch(deployment, watch_heal=True)
    done = events(deployment)
    calm = watch(deployment)

    assert (looked.status, healed.status, calm.status) == (0, 0, 0), healed.output
    assert sorted(seen) == sorted(WRONG)
    assert after_looking == before
    assert {
        ("container_started", "agent-first"),
        ("container_recreated", "gateway"),
        ("container_healed", "agent-second"),
    } < set(done)
    assert events(deployment) == []
    assert calm.changed == 0
    deployment.wait_until_connected()


def test_an_engine_that_does_not_answer_is_one_error_and_removes_nothing(
    deployment: Deployment,
) -> None:
    """K09."""
    before = deployment.containers()

    outcome = watch(
        deployment,
        watch_heal=True,
        watch_engine_wait_seconds=0,
        deployment_engine_socket="/nonexistent/docker.sock",
        deployment_uid_offset=0,
    )

    assert outcome.status != 0
    assert 'Cannot ask the engine at "/nonexistent/docker.sock"' in outcome.text
    assert events(deployment) == [("not_seen", "")]
    assert deployment.containers() == before


def test_report_has_every_mount_that_the_engine_has_and_no_other(
    deployment: Deployment, tmp_path: Path
) -> None:
    """B08."""
    outcome = play(
        "report", variables=deployment.settings(report_directory=str(tmp_path))
    )

    assert outcome.status == 0, outcome.output
    assert outcome.changed == 0
    told = json.loads(
        (tmp_path / f"this-machine-{deployment.name}.json").read_text("utf-8")
    )
    reported = {
        (one["component"], one["agent"], one["source"], one["target"], one["effective"])
        for one in told["parts"]["mounts"]["mounts"]
    }
    assert reported == {
        (component, agent, mount["Source"], mount["Destination"], access)
        for component, agent in (
            *(("control", None), ("gateway", None)),
            *(("agent", "first"), ("agent", "second")),
        )
        for mount in deployment.container(component, agent or "")["Mounts"]
        for access in ("rw" if mount["RW"] else "ro",)
    }
    assert all(one["ok"] for one in told["parts"]["agents"])
    assert not any(one["faults"] for one in told["parts"]["health"]["inside"])
    assert {"first", "second"} == {*told["parts"]["usage"]["found"]["agents"]}
    assert (told["parts"]["sweeps"]["asked"], told["parts"]["sweeps"]["error"]) == (
        True,
        "",
    )


def test_report_holds_no_secret_and_its_files_are_for_their_owner_only(
    deployment: Deployment, tmp_path: Path
) -> None:
    """D10."""
    place = tmp_path / "report"

    outcome = play("report", variables=deployment.settings(report_directory=str(place)))

    key = deployment.variables["deployment_anthropic_api_key"]
    said = "".join(path.read_text("utf-8") for path in sorted(place.iterdir()))
    assert len(list(place.iterdir())) == 3
    assert key not in said + outcome.output
    assert deployment.token not in said + outcome.output
    assert {path.stat().st_mode & 0o777 for path in place.iterdir()} == {0o600}
