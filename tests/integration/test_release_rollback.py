# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""A release that moves the schema and then fails: everything is as it was before."""

from __future__ import annotations

import base64
import json
import os
import re
import secrets
import sqlite3
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from module_runs import CONTROL_UID, Params, Small, entry
from running import docker, free_port

IMAGE = "agentkeep/agentd:0.1.0"
TABLES = Path(__file__).parents[2] / "service/src/agentd/database/tables.py"
MIGRATION = '''
"""Another table, and another name of a column."""
import sqlalchemy as sa
from alembic import op

revision = "9999"
down_revision = "REVISION"
branch_labels = None
depends_on = None


def upgrade():
    op.create_table("later", sa.Column("id", sa.Integer, primary_key=True))
    op.alter_column("messages", "sender_name", new_column_name="sender_title")


def downgrade():
    raise NotImplementedError
'''
# Byte code of the image is never checked against its source, so it goes too.
MOVED = """
FROM {image}
USER 0:0
RUN ln -s /opt/agentd/lib/python3*/site-packages/agentd /next
RUN echo {migration} | base64 -d > /next/database/migrations/versions/9999_later.py
RUN sed -i 's/REVISION = "{revision}"/REVISION = "9999"/' /next/database/tables.py
RUN grep -q 9999 /next/database/tables.py
RUN rm -f /next/__pycache__/health.* /next/database/__pycache__/*
USER 20001:20001
"""
UNWELL = """
FROM {image}
USER 0:0
RUN printf 'raise SystemExit("canary: this release is never well")' > /next/health.py
USER 20001:20001
"""


def built(dockerfile: str, **words: str) -> str:
    """Build an image without any context or network and return its name."""
    name = f"agentkeep/rollback:{secrets.token_hex(4)}"
    subprocess.run(
        ["docker", "build", "--network=none", "--tag", name, "-"],
        input=dockerfile.format(**words),
        env={**os.environ, "DOCKER_BUILDKIT": "0"},
        check=True,
        text=True,
        capture_output=True,
    )
    return name


@pytest.fixture(scope="module")
def moved_image() -> Iterator[str]:
    """An image of ours with one more migration."""
    now = re.search(r'SCHEMA_REVISION = "(\w+)"', TABLES.read_text("utf-8"))
    assert now is not None
    migration = MIGRATION.replace("REVISION", now[1])
    encoded = base64.b64encode(migration.encode()).decode()
    name = built(MOVED, image=IMAGE, migration=encoded, revision=now[1])
    try:
        yield name
    finally:
        docker("rmi", "--force", name)


@pytest.fixture(scope="module")
def next_image(moved_image: str) -> Iterator[str]:
    """An image of ours with one more migration and a health check that fails."""
    name = built(UNWELL, image=moved_image)
    try:
        yield name
    finally:
        docker("rmi", "--force", name)


@pytest.fixture
def control(tmp_path: Path) -> Iterator[Small]:
    """A running control with a conversation in its database."""
    one = Small(tmp_path / "state", options=options(free_port()))
    one.lay_out()
    try:
        run = one.deploy()
        assert not run.failed, run.message
        yield one
    finally:
        one.destroy()


def options(port: int) -> Params:
    """Return the options of a deployment that is control alone."""
    private = {"owner": "root", "group": "control", "access": "ro", "kind": "config"}
    agent = {"scope": "agent", "source": None, "within": "sockets", "owner": "control"}
    socket = entry("socket", "agent", "/run/agentd/control", kind="socket", **agent)
    return {
        "inventory": [
            entry("database", "control", "/data/database", backup="sqlite"),
            entry("definitions", "control", "/data/definitions"),
            entry("settings", "control", "/etc/agentd", **private),
            entry(
                "sockets", "control", "/run/agentd/sockets", owner="root", mode="0711"
            )
            | {"backup": "none", "kind": "socket"},
            {key: value for key, value in socket.items() if value is not None}
            | {"backup": "none", "mounts": []},
        ],
        "services": {"control": service(IMAGE, port)},
        "files": files("INFO"),
        "secret_environment": {"control": {"OLD_SECRET": "old-canary"}},
        "health_wait_seconds": 90,
    }


def service(image: str, port: int) -> Params:
    """Return how control runs."""
    health = {"interval_seconds": 1, "retries": 5, "start_period_seconds": 10}
    return {
        "image": image,
        "command": ["serve"],
        "environment": {"HOME": "/tmp", "TMPDIR": "/tmp"},
        "networks": ["control"],
        "ports": [{"host": "127.0.0.1", "published": port, "target": 8080}],
        "temporary": [{"target": "/tmp", "bytes": 67108864}],
        "health": {"command": ["agentd", "health"], **health},
        "stop_grace_seconds": 20,
    }


def files(level: str) -> list[Params]:
    """Return the settings and the token of control."""
    settings = {
        "component": "control",
        "deployment": "rollback",
        "listen_host": "0.0.0.0",
        "listen_port": 8080,
        "api_token_file": "/etc/agentd/api_token",
        "agents": [{"name": "main"}],
        "log_level": level.lower(),
    }
    token = {"name": "api_token", "policy": "generate", "owner": "control"}
    return [
        {
            "entry": "settings",
            "name": "settings.json",
            "content": json.dumps(settings),
            "group": "control",
        },
        {"entry": "settings", "mode": "0600", **token},
    ]


def converse(small: Small) -> None:
    """Write a conversation into the database, as control does."""
    with sqlite3.connect(small.root / "shared/database/agentd.db") as database:
        database.execute(
            "INSERT INTO conversations (id, agent, status, created_at, last_activity,"
            " message_count) VALUES ('conv-kept', 'main', 'idle', 1.0, 2.0, 3)"
        )


def state(small: Small) -> Params:
    """Return everything that must be as it was."""
    found = small.inspect("control")
    with sqlite3.connect(small.root / "shared/database/agentd.db") as database:
        schema = database.execute("SELECT sql FROM sqlite_master ORDER BY name")
        rows = database.execute("SELECT * FROM conversations").fetchall()
        revision = database.execute("SELECT * FROM alembic_version").fetchall()
        return {
            "schema": schema.fetchall(),
            "rows": rows,
            "revision": revision,
            "image": found["Image"],
            "health": found["State"]["Health"]["Status"],
            "secrets": [one for one in found["Config"]["Env"] if "SECRET" in one],
            "compose": (small.root / "compose.yml").read_text(),
            "token": (small.root / "shared/settings/api_token").read_text(),
            "settings": (small.root / "shared/settings/settings.json").read_text(),
            "owner": (small.root / "shared/database/agentd.db").stat().st_uid,
            "index": (small.root / "releases/index.json").read_text(),
        }


def changed(small: Small, image: str) -> Params:
    """Return the options of the release that fails."""
    (port,) = small.options["services"]["control"]["ports"]
    return {
        "services": {"control": service(image, port["published"])},
        "files": files("DEBUG"),
        "secret_environment": {"control": {"NEW_SECRET": "new-canary"}},
    }


def aside(small: Small) -> list[Path]:
    """Return the databases that were kept aside."""
    found = (small.root / "shared/database").glob("agentd.db.failed-*")
    return [path for path in found if not path.name.endswith(("-wal", "-shm"))]


def test_a_release_that_moved_the_schema_and_fails_leaves_all_as_it_was(
    control: Small, next_image: str
) -> None:
    """K15: database, settings, secrets, image and compose file; nothing is deleted."""
    converse(control)
    before = state(control)

    failed = control.deploy(**changed(control, next_image))
    after = state(control)
    again = control.deploy()

    assert failed.failed
    assert "put back" in failed.message
    assert "canary" not in failed.message.replace("canary: this release", "")
    assert after == before
    assert after["rows"][0][0] == "conv-kept"
    assert after["owner"] == CONTROL_UID
    assert again.result["changed"] is False
    (moved,) = aside(control)
    with sqlite3.connect(moved) as database:
        revision = database.execute("SELECT * FROM alembic_version").fetchall()
    assert revision == [("9999",)]


def test_a_run_that_was_killed_after_the_schema_moved_goes_back_as_well(
    control: Small, next_image: str
) -> None:
    """K15: the copy that was made before the kill is not made anew after it."""
    converse(control)
    before = state(control)
    options = changed(control, next_image)

    assert control.killed_at("undoing", **options)
    failed = control.deploy(**options)

    assert failed.failed
    assert state(control) == before


def test_a_release_that_fails_without_moving_the_schema_keeps_what_was_said(
    control: Small, next_image: str
) -> None:
    """K15: what was written meanwhile stays, since the old release can read it."""
    converse(control)
    before = state(control)
    options = changed(control, IMAGE)
    options["services"]["control"]["health"]["command"] = ["false"]

    failed = control.deploy(**options)

    assert next_image
    assert failed.failed
    assert state(control) == before
    assert aside(control) == []


def test_the_release_before_the_schema_moved_is_put_back_by_hand(
    control: Small, moved_image: str
) -> None:
    """K15: the database goes back with it, and the later one is kept aside."""
    converse(control)
    before = state(control)
    later = control.deploy(
        **{**changed(control, moved_image), "health_wait_seconds": 40}
    )

    back = control.deploy(state="previous")
    after = state(control)

    assert not later.failed, later.message
    assert not back.failed, back.message
    assert {**after, "index": ""} == {**before, "index": ""}
    assert len(aside(control)) == 1
