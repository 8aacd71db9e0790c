# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Where the database is, read from its address and told without its password."""

from __future__ import annotations

from pathlib import Path

import pytest

from agentd.address import database_address
from agentd.errors import SettingsInvalid
from agentd.settings import AgentEntry, ControlSettings

SECRET = "p%40ss%2Fw0rd"


@pytest.mark.parametrize(
    ("url", "where"),
    [
        ("sqlite+aiosqlite:////data/a.db", "/data/a.db"),
        (f"postgresql://u:{SECRET}@db:5433/ak", "postgresql://db:5433/ak"),
        (f"postgres://u:{SECRET}@db/ak?sslmode=require", "postgresql://db/ak"),
        ("postgresql+psycopg://u@[::1]:5432/ak", "postgresql://[::1]:5432/ak"),
        ("postgresql+asyncpg://u:p@one:1,two:2/ak", "postgresql://one:1,two:2/ak"),
        ("postgresql:///ak?host=/run/postgresql", "postgresql:///ak"),
        ("postgresql://db?dbname=ak", "postgresql://db/"),
    ],
)
def test_an_address_is_told_without_user_and_password(url: str, where: str) -> None:
    """O01: four slashes are an absolute path."""
    found = database_address(url)

    assert found.where == where
    assert SECRET not in repr(found)
    assert found.url.endswith(url.partition("://")[2])


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("agentd.db", "neither"),
        ("mysql://u:s3cret@db/ak", "neither"),
        ("postgresql:ak", "neither"),
        ("sqlite+aiosqlite:///agentd.db", "absolute"),
        ("sqlite+aiosqlite:////data/../x.db", "real path"),
        ("sqlite+aiosqlite:////data/a.db?mode=ro", "absolute"),
        ("postgresql://u:s3cret@db:5432", "names no database"),
        ("postgresql://u:s3cret/x@db/ak", "percent-encoded"),
        ("postgresql://u:s3cret?x@db/ak", "percent-encoded"),
        ("postgresql://u:s3cret#x@db/ak", "percent-encoded"),
        ("postgresql://u:x@s3cret@db/ak", "percent-encoded"),
        ("postgresql://u:s3 cret@db/ak", "percent-encoded"),
    ],
)
def test_an_address_that_cannot_be_meant_is_refused(url: str, told: str) -> None:
    """O01: a relative one too; whatever it is, no password is in what is told."""
    with pytest.raises(ValueError, match=told) as refused:
        database_address(url)

    assert "s3" not in str(refused.value)


def test_a_password_is_hidden_in_what_a_server_says_however_it_is_written() -> None:
    found = database_address(f"postgresql://u:{SECRET}@db/ak?sslpassword=k%65y")

    hidden = found.hide(f"bad {SECRET} or p@ss/w0rd or key")

    assert hidden == "bad *** or *** or ***"


def settings(**changes: object) -> ControlSettings:
    values = {
        "component": "control",
        "deployment": "demo",
        "listen_host": "127.0.0.1",
        "agents": [AgentEntry(name="main")],
        **changes,
    }
    return ControlSettings(**values)  # type: ignore[arg-type]


def test_the_file_with_the_address_wins(tmp_path: Path) -> None:
    secret = tmp_path / "url"
    secret.write_text(f"postgresql://u:{SECRET}@db/ak\n")

    found = settings(database_url_file=str(secret))

    assert found.database_address.where == "postgresql://db/ak"
    assert settings().database_address.where == "/data/database/agentd.db"
    assert SECRET not in repr(settings(database_url=f"postgresql://u:{SECRET}@d/ak"))


@pytest.mark.parametrize("content", [None, "", "postgresql://u:s3cret@db"])
def test_a_file_without_an_address_is_refused(
    tmp_path: Path, content: str | None
) -> None:
    secret = tmp_path / "url"
    if content is not None:
        secret.write_text(content)

    with pytest.raises(SettingsInvalid, match="database_url_file") as refused:
        _address = settings(database_url_file=str(secret)).database_address

    assert "s3cret" not in str(refused.value)
