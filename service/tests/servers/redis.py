# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""Real Redis servers: one, a primary with a replica and sentinels, a cluster."""

from __future__ import annotations

import shutil
import signal
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

import redis

from .programs import end, free_ports, private_directory, run, start, until

PASSWORD = "s3cret-redis"
PRIMARY_NAME = "agentkeep"
# Sentinels that were not run for a moment agree on nothing for 30 seconds.
TILT_SECONDS = 90.0


@dataclass
class Redis:
    """One server with an append-only file; it may be stopped, killed and cut off."""

    port: int
    directory: Path
    lines: tuple[str, ...] = ()
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"redis://:{PASSWORD}@127.0.0.1:{self.port}/0"

    def start(self) -> None:
        path = self.directory / "redis.conf"
        if not path.exists():
            # Sentinels write into it who is whose replica: a start goes on from that.
            path.write_text(
                f"port {self.port}\nbind 127.0.0.1\ndir {self.directory}\n"
                f"requirepass {PASSWORD}\nmasterauth {PASSWORD}\n"
                'appendonly yes\nappendfsync everysec\nsave ""\n'
                + "".join(f"{line}\n" for line in self.lines)
            )
            path.chmod(0o666)
        words = ("redis-server", str(path))
        self.process = start(words, self.directory, f"redis-{self.port}")
        until(self.answers, f"Redis on port {self.port}")

    def client(self) -> redis.Redis:
        """Return a client of the test's own; close it."""
        return redis.Redis(
            host="127.0.0.1", port=self.port, password=PASSWORD, socket_timeout=5
        )

    def answers(self) -> bool:
        try:
            with self.client() as client:
                return bool(client.ping())
        except redis.RedisError:
            return False

    def stop(self, number: int = signal.SIGTERM) -> None:
        """End it; SIGKILL is a crash."""
        assert self.process is not None
        end(self.process, number)

    def cut(self) -> None:
        """Cut it off: connections stay open, and nothing answers."""
        assert self.process is not None
        self.process.send_signal(signal.SIGSTOP)

    def join(self) -> None:
        """End the cut."""
        assert self.process is not None
        self.process.send_signal(signal.SIGCONT)

    def empty(self) -> None:
        with self.client() as client:
            client.flushall()


@dataclass
class Sentinels:
    """A primary, a replica and three sentinels that agree on who is the primary."""

    directory: Path
    servers: list[Redis] = field(default_factory=list)
    ports: list[int] = field(default_factory=list)
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def url(self) -> str:
        places = ",".join(f"127.0.0.1:{port}" for port in self.ports)
        return f"redis+sentinel://:{PASSWORD}@{places}/{PRIMARY_NAME}/0"

    def start(self) -> None:
        first, second, *self.ports = free_ports(5)
        self.servers = [
            Redis(first, _below(self.directory, "first")),
            Redis(
                second,
                _below(self.directory, "second"),
                (f"replicaof 127.0.0.1 {first}",),
            ),
        ]
        for server in self.servers:
            server.start()
        for port in self.ports:
            self._start_sentinel(port, first)
        until(lambda: all(map(_knows_others, self.ports)), "agreement of the sentinels")

    def _start_sentinel(self, port: int, primary: int) -> None:
        path = self.directory / f"sentinel-{port}.conf"
        path.write_text(
            f"port {port}\nbind 127.0.0.1\ndir {self.directory}\n"
            f"sentinel monitor {PRIMARY_NAME} 127.0.0.1 {primary} 2\n"
            f"sentinel auth-pass {PRIMARY_NAME} {PASSWORD}\n"
            f"sentinel down-after-milliseconds {PRIMARY_NAME} 1000\n"
            f"sentinel failover-timeout {PRIMARY_NAME} 3000\n"
        )
        path.chmod(0o666)
        words = ("redis-server", str(path), "--sentinel")
        self.processes.append(start(words, self.directory, f"sentinel-{port}"))

    @property
    def primary(self) -> Redis:
        """The server that the sentinels call the primary now."""
        with redis.Redis(host="127.0.0.1", port=self.ports[0]) as client:
            found = client.sentinel_get_master_addr_by_name(PRIMARY_NAME)
        port = int(found[1])
        return next(one for one in self.servers if one.port == port)

    def until_primary_is_not(self, first: Redis) -> None:
        """Wait until the sentinels name another primary."""
        until(lambda: self.primary.port != first.port, "another primary", TILT_SECONDS)

    def until_replicated(self) -> None:
        """Wait until the primary has a replica that could take its place."""
        until(lambda: _has_replica(self.primary), "a replica of the primary")

    def stop(self) -> None:
        for process in self.processes:
            end(process)
        for server in self.servers:
            server.stop()


@dataclass
class Cluster:
    """Three nodes that share the keys."""

    directory: Path
    servers: list[Redis] = field(default_factory=list)

    @property
    def url(self) -> str:
        places = ",".join(f"127.0.0.1:{one.port}" for one in self.servers)
        return f"redis+cluster://:{PASSWORD}@{places}"

    def start(self) -> None:
        lines = ("cluster-enabled yes", "cluster-node-timeout 2000")
        for port in free_ports(3):
            directory = _below(self.directory, str(port))
            server = Redis(port, directory, lines)
            server.start()
            self.servers.append(server)
        places = [f"127.0.0.1:{one.port}" for one in self.servers]
        create = ("--cluster", "create", *places, "--cluster-yes")
        run(
            *("redis-cli", "--no-auth-warning", "-a", PASSWORD, *create),
            directory=self.directory,
        )
        until(lambda: all(map(_is_whole, self.servers)), "the cluster")

    def empty(self) -> None:
        for one in self.servers:
            one.empty()

    def stop(self) -> None:
        for server in self.servers:
            server.stop()


def one_redis() -> Redis:
    """Start one server."""
    server = Redis(free_ports(1)[0], private_directory("redis"))
    server.start()
    return server


def remove(directory: Path) -> None:
    """Remove what a server wrote."""
    shutil.rmtree(directory, ignore_errors=True)


def _below(directory: Path, name: str) -> Path:
    made = directory / name
    made.mkdir()
    shutil.chown(made, *_owner(directory))
    return made


def _owner(directory: Path) -> tuple[int, int]:
    status = directory.stat()
    return status.st_uid, status.st_gid


def _has_replica(server: Redis) -> bool:
    try:
        with server.client() as client:
            told = client.info("replication")
    except redis.RedisError:
        return False
    first = told.get("slave0")
    return isinstance(first, dict) and first.get("state") == "online"


def _knows_others(port: int) -> bool:
    try:
        with redis.Redis(host="127.0.0.1", port=port) as client:
            told = client.sentinel_master(PRIMARY_NAME)
    except redis.RedisError:
        return False
    return (int(told["num-other-sentinels"]), int(told["num-slaves"])) == (2, 1)


def _is_whole(server: Redis) -> bool:
    return cluster_state(server)["cluster_state"] == "ok"


def cluster_state(server: Redis) -> dict[str, str]:
    """Return what a node tells of its cluster."""
    with server.client() as client:
        told: dict[str, str] = client.cluster("INFO")
    return told
