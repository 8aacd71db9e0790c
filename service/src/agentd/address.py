# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Where the database is: read from its address, told without its password."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal
from urllib.parse import parse_qsl, unquote

DatabaseKind = Literal["sqlite", "postgresql"]

SQLITE_PREFIX = "sqlite+aiosqlite:///"
POSTGRES_SCHEMES = {
    *("postgresql", "postgres"),
    *("postgresql+psycopg", "postgresql+asyncpg"),
}
POSTGRES = re.compile(
    r"(?P<scheme>[a-z+]+)://"
    r"(?:(?P<user>[^:@/?#\s]*)(?::(?P<password>[^@/?#\s]*))?@)?"
    r"(?P<hosts>[^@/?#\s]*)(?:/(?P<name>[^@/?#\s]*))?(?:\?(?P<query>[^@#\s]*))?"
)
SECRET_PARAMETERS = {"password", "sslpassword"}
HIDDEN = "***"


@dataclass(frozen=True)
class DatabaseAddress:
    """What is opened; ``where`` may be told to anybody, ``url`` holds the password."""

    kind: DatabaseKind
    where: str
    url: str = field(repr=False)
    path: Path | None = None
    secrets: tuple[str, ...] = field(default=(), repr=False)

    def hide(self, text: str) -> str:
        """Return a text without the password."""
        for secret in self.secrets:
            text = text.replace(secret, HIDDEN)
        return text


def database_address(url: str) -> DatabaseAddress:
    """Return the address in a URL; raise ValueError, which never tells a password."""
    scheme = url.partition("://")[0]
    if scheme in POSTGRES_SCHEMES:
        return _postgres(url)
    if scheme == SQLITE_PREFIX.partition("://")[0]:
        return _sqlite(url)
    raise ValueError(
        "the database's address is neither that of an absolute SQLite file nor that "
        f"of a PostgreSQL database. Write {SQLITE_PREFIX} followed by an absolute "
        f"path, e.g. {SQLITE_PREFIX}/data/database/agentd.db, or "
        "postgresql://user:password@host:5432/name"
    )


def _sqlite(url: str) -> DatabaseAddress:
    path = url.removeprefix(SQLITE_PREFIX)
    if path == url or not path.startswith("/") or "?" in path:
        raise ValueError(
            f'"{url}" does not name an absolute SQLite file. '
            f"Write {SQLITE_PREFIX} followed by an absolute path, "
            f"e.g. {SQLITE_PREFIX}/data/database/agentd.db"
        )
    if ".." in Path(path).parts:
        raise ValueError(f'"{url}" has ".." in its path. Write the real path')
    return DatabaseAddress("sqlite", where=path, url=url, path=Path(path))


def _postgres(url: str) -> DatabaseAddress:
    found = POSTGRES.fullmatch(url)
    if found is None:
        raise ValueError(
            "the PostgreSQL address cannot be read: write "
            "postgresql://user:password@host:5432/name, with @ / ? # : and spaces in "
            "the user and the password percent-encoded"
        )
    hosts, name, query = found["hosts"], found["name"] or "", found["query"]
    if not name and not _has_name(query):
        raise ValueError(
            f'the PostgreSQL address of "{hosts}" names no database: write '
            "postgresql://user:password@host:5432/name"
        )
    rest = url.partition("://")[2]
    parameters = parse_qsl(query or "", keep_blank_values=False)
    told = [value for key, value in parameters if key in SECRET_PARAMETERS]
    secrets = {found["password"] or "", unquote(found["password"] or ""), *told}
    return DatabaseAddress(
        "postgresql",
        where=f"postgresql://{hosts}/{name}",
        url=f"postgresql://{rest}",
        secrets=tuple(sorted(secrets - {""}, key=len, reverse=True)),
    )


def _has_name(query: str | None) -> bool:
    return any(key == "dbname" for key, _value in parse_qsl(query or ""))
