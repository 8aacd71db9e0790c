# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""How the image of PostgreSQL makes its database, with programs that only tell."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest
from working_tree import ROOT

START = ROOT / "roles/image/files/servers/postgres.sh"
SECRET = "canary's word"
# Each writes down what it was asked, and what was on its standard input.
POSTGRES = """#!/bin/sh
[ "$1" = --version ] && { echo "postgres (PostgreSQL) 17.5 (Debian)"; exit 0; }
echo "postgres $*" >>"$TOLD"
echo "$$ ${PG_GRANDPARENT_PID:-}" >>"$TOLD.pids"
[ "$1" = --single ] && cat >>"$TOLD"
[ -z "${FAILS:-}" ]
"""
INITDB = """#!/bin/sh
echo "initdb $*" >>"$TOLD"
for one in "$@"; do case "$one" in --pgdata=*) made="${one#--pgdata=}" ;; esac; done
mkdir "$made" && echo 17 >"$made/PG_VERSION" && echo start >"$made/pg_hba.conf"
"""


@dataclass(frozen=True)
class Image:
    """A directory for data, and programs that tell what they were asked."""

    place: Path

    @property
    def data(self) -> Path:
        """Return where the database is made."""
        return self.place / "data"

    def start(self, **more: str) -> subprocess.CompletedProcess[str]:
        """Run what the image runs."""
        environment = {
            "PATH": f"{self.place}:{os.environ['PATH']}",
            "TMPDIR": str(self.place),
            "TOLD": str(self.place / "told"),
            "PGDATA": str(self.data),
            "POSTGRES_USER": "agentkeep",
            "POSTGRES_DB": "agentkeep",
            "POSTGRES_PASSWORD_FILE": str(self.place / "password"),
            **more,
        }
        return subprocess.run(
            ["sh", str(START), "postgres", "-c", "max_connections=7"],
            env=environment,
            check=False,
            capture_output=True,
            text=True,
        )

    def told(self) -> list[str]:
        """Return what was asked since the last time."""
        path = self.place / "told"
        lines = path.read_text().splitlines() if path.exists() else []
        path.unlink(missing_ok=True)
        return [line for line in lines if line]


@pytest.fixture
def image(tmp_path: Path) -> Image:
    """An image that was never started."""
    for name, program in (("postgres", POSTGRES), ("initdb", INITDB)):
        (tmp_path / name).write_text(program)
        (tmp_path / name).chmod(0o755)
    (tmp_path / "password").write_text(SECRET)
    return Image(tmp_path)


def test_the_first_start_makes_a_database_and_later_ones_use_it(image: Image) -> None:
    """D10: the password is on the standard input, and in no process list."""
    first = image.start()
    making = image.told()
    second = image.start()
    using = image.told()

    assert first.returncode == 0, first.stderr
    assert making[0].startswith("initdb ")
    role, database = [line for line in making if line.startswith("CREATE ")]
    assert role == "CREATE ROLE agentkeep LOGIN PASSWORD 'canary''s word';"
    assert database == "CREATE DATABASE agentkeep OWNER agentkeep;"
    assert "SUPERUSER" not in role
    asked = [line for line in making if not line.startswith("CREATE ")]
    assert not any("canary" in line for line in asked)
    assert making[-1].endswith("-c max_connections=7")
    assert (image.data / "pg_hba.conf").read_text().splitlines() == [
        "start",
        "host all all all scram-sha-256",
    ]
    assert second.returncode == 0
    assert using == making[-1:]


def test_a_database_that_was_not_made_to_the_end_is_made_anew(image: Image) -> None:
    broken = image.start(FAILS="yes")
    image.told()
    assert broken.returncode != 0
    assert not image.data.exists()

    repaired = image.start()

    assert repaired.returncode == 0, repaired.stderr
    assert image.told()[0].startswith("initdb ")
    assert (image.data / "PG_VERSION").read_text() == "17\n"


def test_another_password_is_given_to_the_database_that_is_there(image: Image) -> None:
    """D12."""
    image.start()
    image.told()
    (image.place / "password").write_text("another")

    changed = image.start()
    asked = image.told()
    again = image.start()

    assert (changed.returncode, again.returncode) == (0, 0)
    assert "ALTER ROLE agentkeep PASSWORD 'another';" in asked
    assert len(image.told()) == 1


def test_what_a_killed_server_left_hinders_no_other_password(image: Image) -> None:
    """PostgreSQL takes a pid that lives for another server, unless it is told of it."""
    image.start()
    (image.place / "told.pids").unlink()
    (image.place / "password").write_text("another")

    image.start()

    lines = (image.place / "told.pids").read_text().splitlines()
    alone, server = [line.split(" ") for line in lines]
    assert (alone[1], server[1]) == (server[0], "")


def test_data_of_another_version_is_refused_and_left_alone(image: Image) -> None:
    image.start()
    image.told()
    (image.data / "PG_VERSION").write_text("15\n")

    refused = image.start()

    assert refused.returncode != 0
    assert "Cannot start PostgreSQL 17" in refused.stderr
    assert "made by PostgreSQL 15" in refused.stderr
    assert "deployment_postgres_image" in refused.stderr
    assert image.told() == []


@pytest.mark.parametrize("name", ["a b", "a;b", "a'b", "A"])
def test_names_that_a_statement_could_not_hold_are_refused(
    image: Image, name: str
) -> None:
    refused = image.start(POSTGRES_USER=name)

    assert refused.returncode != 0
    assert "may hold a-z, 0-9 and _ only" in refused.stderr
    assert image.told() == []
