# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Addresses of Redis, and why some are refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from agentd.errors import SettingsInvalid
from agentd.output.redis_address import RedisAddress, read_redis_address
from agentd.serve import run
from agentd.settings import AgentEntry, ControlSettings

ADDRESSES = [
    ("redis://localhost", RedisAddress("redis", (("localhost", 6379),))),
    (
        "rediss://ada:s%40fe@redis.example:7000/3\n",
        RedisAddress(
            *("redis", (("redis.example", 7000),), True, "ada", "s@fe"), database=3
        ),
    ),
    ("redis://[::1]:7000", RedisAddress("redis", (("::1", 7000),))),
    (
        "redis+sentinel://:safe@one:1,two/main/2",
        RedisAddress(
            *("sentinel", (("one", 1), ("two", 26379)), False, None, "safe"),
            primary="main",
            database=2,
        ),
    ),
    (
        "redis+cluster://:safe@one:1,two:2,three:3",
        RedisAddress(
            "cluster", (("one", 1), ("two", 2), ("three", 3)), password="safe"
        ),
    ),
]
REFUSED = [
    ("http://:s3cret@host", "no scheme that is known"),
    ("redis+ring://:s3cret@host", "no scheme that is known"),
    ("redis://:s3cret@one,two", "several servers"),
    ("redis://:s3cret@", "a host is missing"),
    ("redis://:s3cret@host:99999", "no number up to 65535"),
    ("redis://:s3cret@host/first", "is no number"),
    ("redis://:s3cret@host/0/1", "is no number"),
    ("redis://:s3cret@host?db=1", "takes none"),
    ("redis+sentinel://:s3cret@host", "does not name the primary"),
    ("redis+cluster://:s3cret@host/1", "database 0 only"),
    ("redis://:s3cret@[::1", "Invalid IPv6"),
]


@pytest.mark.parametrize(("url", "address"), ADDRESSES)
def test_an_address_says_what_is_where(url: str, address: RedisAddress) -> None:
    assert read_redis_address(url) == address


@pytest.mark.parametrize(("url", "reason"), REFUSED)
def test_a_refused_address_is_not_quoted(url: str, reason: str) -> None:
    with pytest.raises(SettingsInvalid, match=reason) as caught:
        read_redis_address(url)

    assert "s3cret" not in str(caught.value)
    assert "redis_url_file" in str(caught.value)


def test_a_password_is_in_no_message() -> None:
    address = read_redis_address("redis+sentinel://:s3cret@one:1,two:2/main/0")

    assert "s3cret" not in repr(address)
    assert address.where == "one:1,two:2/main"


async def test_control_does_not_start_with_an_address_that_is_none(
    tmp_path: Path,
) -> None:
    (tmp_path / "redis").write_text("redis//:s3cret@host")
    settings = ControlSettings(
        component="control",
        deployment="demo",
        listen_host="127.0.0.1",
        agents=[AgentEntry(name="main")],
        redis_url_file=str(tmp_path / "redis"),
    )

    with pytest.raises(SettingsInvalid, match="no scheme that is known"):
        await run(settings)
