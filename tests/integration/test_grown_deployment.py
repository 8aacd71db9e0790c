# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""A deployment with a Redis and a PostgreSQL of its own, on this machine's engine."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
from running import Deployment, Outcome, docker, free_port, play

SERVERS = {"redis": "agentkeep-grown-redis", "postgres": "agentkeep-grown-postgres"}
CONTROL = "agentkeep-grown-control"
SECONDS = 60


def succeeded(outcome: Outcome) -> Outcome:
    """Return the outcome; fail with its output unless it was a success."""
    assert outcome.status == 0, outcome.output
    return outcome


@pytest.fixture(scope="module")
def grown(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """A running deployment whose queue is in Redis, and all else in PostgreSQL."""
    images = {"image_servers": list(SERVERS)}
    one = Deployment(
        name="grown",
        data_root=tmp_path_factory.mktemp("grown"),
        port=free_port(),
        variables={
            "deployment_agents": [{"name": "main", "uid": 20151}],
            "deployment_redis": True,
            "deployment_postgres": True,
            "deployment_drain_seconds": 20,
        },
    )
    try:
        tags = "--tags=image_servers,deployment"
        succeeded(play("deploy", tags, variables=one.settings(**images)))
        yield one
    finally:
        one.destroy()


def networks(grown: Deployment) -> list[str]:
    """Return the networks that are there for the deployment."""
    labelled = f"--filter=label=agentkeep.deployment={grown.name}"
    return docker("network", "ls", "--format={{.Name}}", labelled).split()


def inside_redis(*command: str) -> str:
    """Return what Redis answers to a command."""
    sign_in = 'REDISCLI_AUTH="$(cat /etc/agentkeep/password)" exec redis-cli "$@"'
    return docker("exec", SERVERS["redis"], "sh", "-c", sign_in, "sh", *command)


def inside_postgres(statement: str) -> str:
    """Return the rows that a statement has in the deployment's database."""
    options = ("--no-align", "--tuples-only", "--username=postgres")
    return docker(
        *("exec", SERVERS["postgres"], "psql", *options),
        *("--dbname=agentkeep", f"--command={statement}"),
    )


def password(grown: Deployment, server: str) -> str:
    """Return the password that was generated for a server."""
    return (grown.directory / f"shared/{server}-secrets/password").read_text()


def ended(grown: Deployment, task: str) -> dict[str, Any]:
    """Return a task that came to its end; raise TimeoutError."""
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        found = dict(grown.ask("GET", f"/queue/{task}"))
        if found["status"] in ("completed", "failed", "cancelled"):
            return found
        time.sleep(0.2)
    raise TimeoutError(f"task {task} did not end in {SECONDS} s")


def queued(grown: Deployment, prompt: str, **more: str) -> dict[str, Any]:
    """Return a task that was put into the queue and ran to its end."""
    accepted = grown.ask("POST", "/queue", {"prompt": prompt, **more})
    return ended(grown, str(accepted["id"]))


def test_a_conversation_and_its_tasks_outlive_all_containers(
    grown: Deployment,
) -> None:
    """O02, O05, D24: the rows are in PostgreSQL, and no SQLite file is there."""
    first = grown.say("Remember the word mango.")
    conversation = first["conversation_id"]
    before = queued(grown, "Remember the word papaya.", conversation_id=conversation)
    inside_redis("SET", "canary", "kept")
    time.sleep(1.1)

    succeeded(grown.remove())
    assert grown.containers() == {}
    assert networks(grown) == []
    succeeded(grown.deploy())
    second = grown.say(
        "Which words did I ask you to remember?", conversation_id=conversation
    )

    assert (before["status"], before["conversation_id"]) == ("completed", conversation)
    assert second["resumed"]
    assert [word for word in ("mango", "papaya") if word not in second["result"]] == []
    assert grown.ask("GET", f"/queue/{before['id']}") == before
    kept = inside_postgres("SELECT status FROM tasks")
    assert set(kept.splitlines()) == {"completed"}
    assert not (grown.directory / "shared/database").exists()
    assert inside_redis("GET", "canary") == "kept"
    told = inside_redis("CONFIG", "GET", "append*").split()
    known = dict(zip(told[::2], told[1::2], strict=True))
    assert (known["appendonly"], known["appendfsync"]) == ("yes", "everysec")


def test_what_waits_is_there_after_redis_was_restarted(grown: Deployment) -> None:
    """O06: pushed while nobody takes anything, and taken by nobody else since."""
    docker("pause", CONTROL)
    try:
        inside_redis("RPUSH", "waiting", *map(str, range(100)))
        time.sleep(1.1)
        docker("restart", SERVERS["redis"])
        end = time.monotonic() + SECONDS
        while inside_redis("PING") != "PONG" and time.monotonic() < end:
            time.sleep(0.1)
        length = inside_redis("LLEN", "waiting")
    finally:
        docker("unpause", CONTROL)

    assert length == "100"
    assert queued(grown, "Say something.")["status"] == "completed"


def test_a_queue_without_redis_goes_on_and_says_so(grown: Deployment) -> None:
    """J06: the database is the truth, so that tasks are accepted and run."""
    docker("stop", SERVERS["redis"])
    try:
        without = queued(grown, "Say something else.")
        health = grown.ask("GET", "/health")
    finally:
        docker("start", SERVERS["redis"])

    assert without["status"] == "completed"
    assert health["status"] == "degraded"
    assert health["queue_length"] == -1


def test_servers_are_reached_by_control_alone(grown: Deployment) -> None:
    """D08: no published port, and no network that another container is in."""
    joined = {
        name: set(json.loads(docker("inspect", name))[0]["NetworkSettings"]["Networks"])
        for name in grown.containers()
    }

    for server, name in SERVERS.items():
        (network,) = joined[name]
        members = {one for one, found in joined.items() if network in found}
        assert members == {CONTROL, name}
        host = grown.container(server)["HostConfig"]
        assert host["PortBindings"] in (None, {})
        assert host["ReadonlyRootfs"]
        assert host["CapDrop"] == ["ALL"]
        assert "no-new-privileges:true" in host["SecurityOpt"]


def test_nothing_to_change_changes_nothing_and_shows_no_password(
    grown: Deployment,
) -> None:
    """A17, D10: passwords are in files of their readers and nowhere else.

    In no compose file, environment, command, list of processes or output.
    """
    secrets = [password(grown, server) for server in SERVERS]
    before = grown.containers()
    again = succeeded(grown.deploy("-vvv", "--diff"))
    inspected = docker("inspect", *grown.containers())
    shown = "".join(
        [
            inspected,
            *(docker("top", name, "-ef") for name in grown.containers()),
            (grown.directory / "compose.yml").read_text(),
            again.output,
        ]
    )

    assert again.changed == 0
    assert grown.containers() == before
    assert [secret for secret in secrets if len(secret) < 43 or secret in shown] == []
    for server, uid in (("redis", 20003), ("postgres", 20004)):
        held = (grown.directory / f"shared/{server}-secrets/password").stat()
        assert (held.st_uid, held.st_mode & 0o7777) == (uid, 0o600)
    for name in ("redis_url", "database_url"):
        held = (grown.directory / "shared/settings" / name).stat()
        assert (held.st_uid, held.st_mode & 0o7777) == (20001, 0o600)


def test_renewed_passwords_are_those_of_servers_and_control(grown: Deployment) -> None:
    """D12: PostgreSQL takes its new one at its start, over the data that is there."""
    said = grown.say("Remember the word quince.")
    before = [password(grown, server) for server in SERVERS]

    succeeded(grown.deploy(deployment_server_passwords_renew=True))

    after = [password(grown, server) for server in SERVERS]
    assert not set(before) & set(after)
    again = grown.say(
        "Which words did I ask you to remember?",
        conversation_id=said["conversation_id"],
    )
    assert "quince" in again["result"]
    assert queued(grown, "Say a word.")["status"] == "completed"
