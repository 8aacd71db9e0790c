# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""A deployment that a version without releases made: an upgrade that fails goes back.

That version kept compose.yml in the root, and labelled its containers and networks with
the name of the deployment and no id.
"""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from module_runs import AGENT_UID, BASE, CONTROL_UID, SLEEP, Params, Small
from running import docker

# What was there: the declared command and health are later ones.
OLD_COMMAND = ["sleep", "1000000"]
OLD_CHECK = ["CMD", "test", "-s", "/etc/agentd/settings.json"]
OLD_SETTINGS = '{"old": true}\n'
MIGRATES = """
import sqlite3, time
with sqlite3.connect("/data/database/agentd.db") as database:
    database.execute("ALTER TABLE said RENAME COLUMN words TO text")
time.sleep(1000000)
"""
NEXT = """
FROM {base}
LABEL next=true
"""


@pytest.fixture
def next_image(tmp_path: Path) -> Iterator[str]:
    """An image that is not the one of before."""
    name = f"agentkeep/adoption:{os.getpid()}"
    subprocess.run(
        ["docker", "build", "--network=none", "--tag", name, "-"],
        input=NEXT.format(base=BASE),
        env={**os.environ, "DOCKER_BUILDKIT": "0"},
        check=True,
        text=True,
        capture_output=True,
    )
    yield name
    docker("rmi", "--force", name)


@pytest.fixture
def older(tmp_path: Path) -> Iterator[Small]:
    """A running deployment as the version without releases left it."""
    one = Small(tmp_path / "state")
    one.lay_out()
    try:
        leave_as_before(one)
        yield one
    finally:
        one.destroy()


def leave_as_before(small: Small) -> None:
    """Write files, a database and compose.yml as they were, and start them."""
    shared = small.root / "shared"
    (shared / "settings/settings.json").write_text(OLD_SETTINGS)
    (shared / "settings/settings.json").chmod(0o644)
    (shared / "settings/api_token").write_text("t" * 43)
    database = shared / "database/agentd.db"
    with sqlite3.connect(database) as connection:
        connection.execute("CREATE TABLE said (words TEXT)")
        connection.execute("INSERT INTO said VALUES ('kept')")
    os.chown(database, CONTROL_UID, CONTROL_UID)
    file = small.root / "compose.yml"
    file.write_text(json.dumps(compose(small)))
    project = f"agentkeep-{small.name}"
    subprocess.run(
        ["docker", "compose", "--project-name", project, "--file", file, "up", "-d"],
        check=True,
        capture_output=True,
    )


def service(small: Small, name: str, uid: int, **more: Any) -> Params:
    """Return how the version without releases ran a container."""
    labels = {
        "agentkeep.deployment": small.name,
        "agentkeep.component": name.partition("-")[0],
        "agentkeep.settings-hash": "0123456789abcdef",
    }
    return {
        "container_name": f"agentkeep-{small.name}-{name}",
        "image": BASE,
        "command": OLD_COMMAND,
        "user": f"{uid}:{uid}",
        "init": True,
        "read_only": True,
        "cap_drop": ["ALL"],
        "security_opt": ["no-new-privileges:true"],
        "environment": {"HOME": "/tmp", "OF_BEFORE": "of=before"},
        "stop_grace_period": "2s",
        "labels": labels,
        "tmpfs": ["/tmp:mode=1777,size=1048576"],
        **more,
    }


def compose(small: Small) -> Params:
    """Return the compose file of the version without releases."""
    network = f"agentkeep-{small.name}-control"
    memory = f"{small.root}/agents/main/memory:/data/memory"
    shared = small.root / "shared"
    mounted = [f"{shared}/settings:/etc/agentd:ro", f"{shared}/database:/data/database"]
    check = {"test": OLD_CHECK, "interval": "1s"}
    agent = service(
        small, "agent-main", AGENT_UID, network_mode="none", volumes=[memory]
    )
    control = service(
        small, "control", CONTROL_UID, networks=["control"], volumes=mounted
    )
    labels = {"agentkeep.deployment": small.name}
    return {
        "services": {
            "agent-main": agent,
            "control": {**control, "healthcheck": check},
        },
        "networks": {"control": {"name": network, "labels": labels}},
    }


def upgrade(small: Small, image: str, *, well: bool) -> Params:
    """Return the options of the upgrade, which moves the schema."""
    check = {"command": ["true" if well else "false"], "interval_seconds": 1}
    control = {
        **SLEEP,
        "image": image,
        "command": ["python3", "-c", MIGRATES],
        "networks": ["control"],
        "health": {**check, "retries": 2},
    }
    settings = {"entry": "settings", "name": "settings.json", "content": "{}"}
    token = {"entry": "settings", "name": "api_token", "policy": "generate"}
    return {
        "services": {**small.service("agent", image=image), "control": control},
        "files": [
            {**settings, "group": "control"},
            {**token, "owner": "control", "mode": "0600"},
            {"entry": "settings", "name": "later.json", "content": "{}"},
        ],
        "secret_environment": {"control": {"LATER": "later"}},
    }


def state(small: Small) -> Params:
    """Return everything that must be as it was."""
    found: Params = {}
    for service in ("agent-main", "control"):
        inspected = small.inspect(service)
        host, config = inspected["HostConfig"], inspected["Config"]
        found[service] = {
            "image": inspected["Image"],
            "running": inspected["State"]["Running"],
            "command": [inspected["Path"], *inspected["Args"]],
            "environment": sorted(config["Env"]),
            "health": (config.get("Healthcheck") or {}).get("Test"),
            "user": config["User"],
            "mounts": sorted(
                (one["Source"], one["Destination"], one["RW"])
                for one in inspected["Mounts"]
            ),
            "networks": sorted(inspected["NetworkSettings"]["Networks"]),
            "walls": [host[key] for key in ("ReadonlyRootfs", "CapDrop", "Init")],
        }
    with sqlite3.connect(small.root / "shared/database/agentd.db") as database:
        found["schema"] = database.execute("SELECT sql FROM sqlite_master").fetchall()
        found["rows"] = database.execute("SELECT * FROM said").fetchall()
    for path in sorted((small.root / "shared/settings").iterdir()):
        status = path.stat()
        owner = (status.st_uid, status.st_gid, oct(status.st_mode))
        found[path.name] = (path.read_text(), owner)
    return found


def test_an_upgrade_that_fails_leaves_an_older_deployment_as_it_was(
    older: Small, next_image: str
) -> None:
    """K15: image, command, files and database; and there is no release before it."""
    before = state(older)

    failed = older.deploy(**upgrade(older, next_image, well=False))
    after = state(older)
    back = older.deploy(state="previous")

    assert failed.failed
    assert "was put back and runs" in failed.message, failed.message
    assert "The database in" in failed.message
    assert after == before
    assert "of=before" not in (older.root / "compose.yml").read_text()
    assert back.failed
    assert "none is kept" in back.message


def test_an_upgrade_that_ran_well_goes_back_to_an_older_deployment_by_hand(
    older: Small, next_image: str
) -> None:
    """K15: what the older version ran is the previous release; forward works, too."""
    before = state(older)
    options = upgrade(older, next_image, well=True)

    upgraded = older.deploy(**options)
    back = older.deploy(**{**options, "state": "previous"})
    after = state(older)
    forward = older.deploy(**options)
    again = older.deploy(**options)

    assert not upgraded.failed, upgraded.message
    assert not back.failed, back.message
    assert after == before
    assert not forward.failed, forward.message
    assert again.result["changed"] is False


def test_an_upgrade_that_was_killed_goes_back_to_the_older_deployment(
    older: Small, next_image: str
) -> None:
    """K15: what the killed run left half made is not taken for what ran before."""
    before = state(older)
    options = upgrade(older, next_image, well=False)

    assert older.killed_at("written", **options)
    failed = older.deploy(**options)

    assert failed.failed
    assert "was put back and runs" in failed.message, failed.message
    assert state(older) == before
