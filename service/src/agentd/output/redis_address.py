# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""The address of Redis, Redis Sentinel or Redis Cluster, read from one line."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import SplitResult, unquote, urlsplit

from agentd.errors import SettingsInvalid

Kind = Literal["redis", "sentinel", "cluster"]
KINDS: dict[str, Kind] = {"": "redis", "sentinel": "sentinel", "cluster": "cluster"}
PORTS: dict[Kind, int] = {"redis": 6379, "sentinel": 26379, "cluster": 6379}
FORMS = (
    "redis://:password@host:6379/0, redis+sentinel://:password@host:26379,host:26379/"
    "primary/0 or redis+cluster://:password@host:6379,host:6379; rediss for TLS"
)


@dataclass(frozen=True)
class RedisAddress:
    """Where Redis is, and how to sign in."""

    kind: Kind
    places: tuple[tuple[str, int], ...]
    tls: bool = False
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    primary: str | None = None
    database: int = 0

    @property
    def where(self) -> str:
        """Return the address without what is secret, for messages."""
        places = ",".join(f"{host}:{port}" for host, port in self.places)
        return f"{places}/{self.primary}" if self.primary else places


def read_redis_address(url: str) -> RedisAddress:
    """Return what an address says; raise SettingsInvalid without quoting it."""
    try:
        return _read(urlsplit(url.strip()))
    except ValueError as error:
        # The address holds a password, so that only the reason is told.
        raise SettingsInvalid(
            f"Cannot use the address of Redis: {error}. Write {FORMS} into the file "
            "that redis_url_file names."
        ) from None


def _read(split: SplitResult) -> RedisAddress:
    scheme, _plus, form = split.scheme.partition("+")
    if scheme not in {"redis", "rediss"} or form not in KINDS:
        raise ValueError("it begins with no scheme that is known")
    if split.query or split.fragment:
        raise ValueError("it has a query, and takes none")
    kind = KINDS[form]
    sign_in, _at, hosts = split.netloc.rpartition("@")
    username, _colon, password = sign_in.partition(":")
    words = [unquote(word) for word in split.path.split("/") if word]
    primary = None
    if kind == "sentinel":
        if not words:
            raise ValueError("it does not name the primary that the sentinels watch")
        primary, words = words[0], words[1:]
    if kind == "redis" and "," in hosts:
        raise ValueError("it names several servers without saying what they are")
    return RedisAddress(
        kind=kind,
        places=tuple(_place(host, PORTS[kind]) for host in hosts.split(",")),
        tls=scheme == "rediss",
        username=unquote(username) or None,
        password=unquote(password) or None,
        primary=primary,
        database=_database(kind, words),
    )


def _place(text: str, port: int) -> tuple[str, int]:
    split = urlsplit(f"//{text}")
    if not split.hostname:
        raise ValueError("a host is missing")
    try:
        return split.hostname, split.port or port
    except ValueError:
        raise ValueError("a port is no number up to 65535") from None


def _database(kind: Kind, words: list[str]) -> int:
    if not words:
        return 0
    if len(words) > 1 or not words[0].isascii() or not words[0].isdigit():
        raise ValueError("the number of the database is no number")
    if kind == "cluster" and int(words[0]) != 0:
        raise ValueError("a cluster has the database 0 only")
    return int(words[0])
