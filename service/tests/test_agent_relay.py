# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""The loopback relay: bytes both ways, its bounds, and the agent's own health."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from conftest import free_port, until

from agentd.agent import relay
from agentd.agent.relay import Relay


@dataclass
class Gateway:
    """A gateway that echoes, counting its connections."""

    path: Path
    connections: int = 0

    async def serve(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """Send back what comes."""
        self.connections += 1
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
        writer.close()


@asynccontextmanager
async def relaying(
    directory: Path, ok: bool = True, with_gateway: bool = True
) -> AsyncIterator[tuple[int, Gateway]]:
    """Yield a relay's port and the gateway behind it."""
    gateway = Gateway(directory / "gateway.sock")
    port = free_port()
    async with (
        Relay(str(gateway.path), lambda: {"ok": ok}) as joined,
        await joined.listen(port),
    ):
        if not with_gateway:
            yield port, gateway
        else:
            server = await asyncio.start_unix_server(gateway.serve, gateway.path)
            async with server:
                yield port, gateway
                joined.close()
        joined.close()
        await asyncio.sleep(0.01)


async def test_the_relay_passes_bytes_both_ways_and_ends_as_its_ends_do(
    short_path: Path,
) -> None:
    sent = os.urandom(5_000_000)
    async with relaying(short_path) as (port, _unused), asyncio.TaskGroup() as group:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        received = group.create_task(reader.read(-1))

        writer.write(sent)
        await writer.drain()
        writer.write_eof()

        assert await received == sent
        writer.close()


async def test_connections_that_ended_are_held_no_longer(short_path: Path) -> None:
    async def open_files(count: int) -> None:
        await until(lambda: len(os.listdir("/proc/self/fd")) <= count)

    async with relaying(short_path) as (port, gateway):
        before = len(os.listdir("/proc/self/fd"))
        for number in range(relay.MAX_CONNECTIONS + 10):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"asked")
            assert await reader.readexactly(5) == b"asked"
            # As a process that ends, and as one that waits for what is said last.
            if number % 2:
                writer.write_eof()
                assert await reader.read() == b""
            writer.close()

        assert gateway.connections == relay.MAX_CONNECTIONS + 10
        await open_files(before)


async def test_a_gateway_that_is_not_there_is_said_so_in_the_api_s_form(
    short_path: Path,
) -> None:
    async with (
        relaying(short_path, with_gateway=False) as (port, _unused),
        httpx.AsyncClient(trust_env=False) as client,
    ):
        response = await client.post(f"http://127.0.0.1:{port}/v1/messages", json={})

        assert response.status_code == 503
        assert "gateway.sock" in response.json()["error"]["message"]


@pytest.mark.parametrize(("ok", "status"), [(True, 200), (False, 503)])
async def test_the_relay_s_port_answers_for_the_agent_s_own_health(
    short_path: Path, ok: bool, status: int
) -> None:
    async with (
        relaying(short_path, ok=ok) as (port, gateway),
        httpx.AsyncClient(trust_env=False) as client,
    ):
        response = await client.get(f"http://127.0.0.1:{port}/health")

        assert response.status_code == status
        assert gateway.connections == 0


async def test_who_asks_for_the_health_together_gets_one_look_that_stops_nobody(
    short_path: Path,
) -> None:
    """Anything in the container may ask, and the disk takes its time."""
    looks: list[bool] = []
    loop_goes_on = threading.Event()

    def slowly() -> dict[str, object]:
        looks.append(loop_goes_on.wait(10))
        return {"ok": True}

    port = free_port()
    async with Relay(str(short_path / "none"), slowly) as joined:
        async with (
            await joined.listen(port),
            httpx.AsyncClient(trust_env=False, timeout=30) as one,
            asyncio.TaskGroup() as group,
        ):
            asked = [
                group.create_task(one.get(f"http://127.0.0.1:{port}/health"))
                for _asker in range(20)
            ]
            await until(lambda: len(joined.connections) == 20)
            loop_goes_on.set()
        joined.close()

    assert {task.result().status_code for task in asked} == {200}
    assert all(looks)
    assert len(looks) < 10


async def test_the_relay_holds_a_bounded_number_of_connections(
    short_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relay, "MAX_CONNECTIONS", 2)
    async with relaying(short_path) as (port, _unused):
        held = [
            await asyncio.open_connection("127.0.0.1", port) for _unused in range(2)
        ]
        await asyncio.sleep(0.05)

        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        with pytest.raises((ConnectionResetError, asyncio.IncompleteReadError)):
            await reader.readexactly(1)

        for _reader, other in (*held, (reader, writer)):
            other.close()
        await asyncio.sleep(0)
