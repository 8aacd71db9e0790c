# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""The servers that other tests stand on start, answer and can be ended."""

from __future__ import annotations

import signal

import psycopg

from .postgres import Postgres
from .redis import Cluster, Redis, Sentinels, cluster_state


def test_postgres_keeps_a_row_when_it_is_crashed_and_started_again(
    postgres_server: Postgres, postgres_url: str
) -> None:
    with psycopg.connect(postgres_url) as connection:
        connection.execute("CREATE TABLE kept (number integer)")
        connection.execute("INSERT INTO kept VALUES (7)")

    postgres_server.stop(signal.SIGQUIT)
    postgres_server.start()

    with psycopg.connect(postgres_url) as connection:
        assert connection.execute("SELECT number FROM kept").fetchall() == [(7,)]


def test_redis_keeps_a_value_when_it_is_restarted(redis_server: Redis) -> None:
    with redis_server.client() as client:
        client.set("kept", "7")

    redis_server.stop()
    redis_server.start()

    with redis_server.client() as client:
        assert client.get("kept") == b"7"


def test_sentinels_name_another_primary_when_the_first_is_killed(
    sentinels: Sentinels,
) -> None:
    first = sentinels.primary

    first.stop(signal.SIGKILL)

    sentinels.until_primary_is_not(first)
    assert sentinels.primary.answers()


def test_a_cluster_takes_keys_of_every_slot(cluster: Cluster) -> None:
    told = [cluster_state(one) for one in cluster.servers]

    assert [one["cluster_slots_ok"] for one in told] == ["16384"] * 3
