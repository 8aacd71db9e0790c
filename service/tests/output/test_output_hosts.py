# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""A task of the real CLI at one host, followed from another: real processes all."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from control.running_app import events
from control.service import ControlProcess, until
from servers.redis import Redis
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.typing import Subprotocol

if TYPE_CHECKING:
    from conftest import RunningStack

Json = dict[str, Any]
SLOWLY = "Remember the word mango and answer slowly for 3 seconds."
LATER = {"prompt": "x", "agent": "other", "available_at": "2100-01-01T00:00:00Z"}

pytestmark = pytest.mark.live


@dataclass
class Beside:
    """A host whose agent never connects: it takes no task of the other's."""

    directory: Path

    @property
    def sockets_directory(self) -> Path:
        found = self.directory / "sockets"
        (found / "other").mkdir(parents=True, exist_ok=True)
        return found


def socket_of(control: ControlProcess, task_id: str, *subprotocols: str) -> connect:
    """Return a socket to a task's output, as a browser opens it."""
    address = f"ws://127.0.0.1:{control.port}/queue/{task_id}/socket"
    offered = [Subprotocol(one) for one in subprotocols]
    return connect(address, subprotocols=offered, proxy=None)


async def heard(socket: ClientConnection) -> list[Json]:
    """Return the events until the socket is closed."""
    return [json.loads(text) async for text in socket]


async def follow(here: ControlProcess, there: ControlProcess) -> tuple[str, list[Json]]:
    """Run a task here; return its id and what was heard there while it ran."""
    names = ("agentkeep.events", f"agentkeep.bearer.{there.token}")
    task = here.client.post("/queue", json={"prompt": SLOWLY, "agent": "main"}).json()
    with pytest.raises(InvalidStatus) as refused:
        async with socket_of(there, task["id"], names[0], "agentkeep.bearer.guess"):
            pass
    assert refused.value.response.status_code == 401
    async with asyncio.timeout(60), socket_of(there, task["id"], *names) as socket:
        return task["id"], await heard(socket)


async def test_another_host_follows_a_task_of_the_real_cli_live_and_late(
    running_stack: RunningStack,
    postgres_url: str,
    redis_server: Redis,
    tmp_path: Path,
) -> None:
    (tmp_path / "redis").write_text(redis_server.url)
    shared = {"database_url": postgres_url, "redis_url_file": str(tmp_path / "redis")}
    async with running_stack(with_spawner=False) as stack:
        here = ControlProcess(stack, settings={**shared, "host": "a"})
        there = ControlProcess(
            Beside(tmp_path), agents=("other",), settings={**shared, "host": "b"}
        )
        with here:
            there.launch()
            try:
                await until(lambda: answers(there))
                task_id, live = await follow(here, there)
                late = there.client.get(f"/queue/{task_id}/output")
                found = here.client.get(f"/queue/{task_id}").json()
                figures = here.client.get("/metrics").text
                stopped = await stop_with_a_reader(there)
            finally:
                there.__exit__()

    told = [(one["event"], one["data"]) for one in live]
    chunks = [data["text"] for name, data in told if name == "chunk"]
    assert events(late.text) == told
    assert [name for name, _data in told][:2] == ["started", "start"]
    assert told[-1] == ("end", found)
    assert (found["status"], found["host"]) == ("completed", "a")
    assert "".join(chunks) == found["result"]
    assert 'agentd_tasks_total{agent="main",status="completed"} 1.0' in figures
    assert stopped == (0, 1012)


async def test_a_reader_elsewhere_is_told_the_end_of_a_task_whose_worker_was_killed(
    running_stack: RunningStack,
    postgres_url: str,
    redis_server: Redis,
    tmp_path: Path,
) -> None:
    """O07: nobody who follows it has to come back."""
    (tmp_path / "redis").write_text(redis_server.url)
    shared = {"database_url": postgres_url, "redis_url_file": str(tmp_path / "redis")}
    async with running_stack(with_spawner=False) as stack:
        here = ControlProcess(stack, settings={**shared, "host": "a"})
        there = ControlProcess(
            Beside(tmp_path), agents=("other",), settings={**shared, "host": "b"}
        )
        with here:
            there.launch()
            try:
                await until(lambda: answers(there))
                async with asyncio.timeout(90), asyncio.TaskGroup() as tasks:
                    following = tasks.create_task(follow(here, there))
                    await until(lambda: runs(there))
                    await asyncio.to_thread(kill, here)
                    await asyncio.to_thread(here.start)
                task_id, told = following.result()
                found = there.client.get(f"/queue/{task_id}").json()
            finally:
                there.__exit__()

    assert [one["event"] for one in told][:2] == ["started", "start"]
    assert (told[-1]["event"], told[-1]["data"]) == ("end", found)
    assert found["status"] == "completed"


def runs(control: ControlProcess) -> bool:
    """Return whether a task is in its turn."""
    found = control.client.get("/queue", params={"status": "running"}).json()
    return any(one["conversation_id"] for one in found["tasks"])


def kill(control: ControlProcess) -> None:
    assert control.process is not None
    control.process.kill()
    control.process.wait()


def answers(control: ControlProcess) -> bool:
    try:
        return bool(control.client.get("/health").json())
    except httpx.TransportError:
        return False


async def stop_with_a_reader(control: ControlProcess) -> tuple[int, int]:
    """Stop control while somebody follows; return the status, and the socket's."""
    task = control.client.post("/queue", json=LATER).json()
    names = ("agentkeep.events", f"agentkeep.bearer.{control.token}")
    async with socket_of(control, task["id"], *names) as socket:
        status, seconds = await asyncio.to_thread(control.stop)
        with pytest.raises(ConnectionClosed) as closed:
            await socket.recv()
    assert seconds < 5
    assert closed.value.rcvd is not None
    return status, closed.value.rcvd.code
