# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""Servers that live as long as a test session, and are empty for each test."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest

from .postgres import Postgres, one_postgres
from .programs import private_directory
from .redis import Cluster, Redis, Sentinels, one_redis, remove


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Postgres]:
    """One PostgreSQL; a test that stops it starts it again."""
    server = one_postgres()
    try:
        yield server
    finally:
        # Nothing of it is kept, and its last checkpoint would take seconds.
        server.stop(signal.SIGQUIT)
        server.remove()


@pytest.fixture
def postgres_url(postgres_server: Postgres) -> str:
    """The address of an empty database."""
    return postgres_server.new_database()


@pytest.fixture(scope="session")
def redis_server_of_session() -> Iterator[Redis]:
    """One Redis with an append-only file."""
    server = one_redis()
    try:
        yield server
    finally:
        server.stop()
        remove(server.directory)


@pytest.fixture
def redis_server(redis_server_of_session: Redis) -> Redis:
    """The same, emptied; a test that stops it starts it again."""
    redis_server_of_session.empty()
    return redis_server_of_session


@pytest.fixture
def sentinels() -> Iterator[Sentinels]:
    """A primary with a replica and three sentinels, new for each test."""
    found = Sentinels(private_directory("sentinel"))
    try:
        found.start()
        yield found
    finally:
        found.stop()
        remove(found.directory)


@pytest.fixture(scope="session")
def cluster_of_session() -> Iterator[Cluster]:
    """Three nodes that share the keys."""
    found = Cluster(private_directory("cluster"))
    try:
        found.start()
        yield found
    finally:
        found.stop()
        remove(found.directory)


@pytest.fixture
def cluster(cluster_of_session: Cluster) -> Cluster:
    """The same, emptied."""
    cluster_of_session.empty()
    return cluster_of_session
