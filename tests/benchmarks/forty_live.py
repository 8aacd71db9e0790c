# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Forty live conversations of one agent that take a turn together.

Beside them, in the same run, forty live clients directly over the CLI. Control runs
in a memory cgroup of its own from its first page on, and starts before anything else
has read the files that it reads.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from local_stack import LocalStack, free_port, until_connected
from memory_group import MemoryGroup, drop_page_cache, new_group
from record import write_record

if TYPE_CHECKING:
    import claude_agent_sdk as sdk
    import httpx

COUNT = 40
ROUNDS = 9
WARM_UPS = 2
STARTING = 2
MESSAGE = "Remember the word mango."
OURS = f"{COUNT} conversations over HTTP"
RAW = f"{COUNT} live clients, direct"
FACTOR_AIM = 1.3
MEMORY_AIM_MEGABYTES = 220
MEGABYTE = 1_000_000
NEEDED_BYTES = 11_000_000_000

TurnOfAll = Callable[[], Awaitable[None]]


class RawClient:
    """One live client of the SDK, in a task of its own as the SDK demands."""

    def __init__(self, options: sdk.ClaudeAgentOptions) -> None:
        self._options = options
        self._orders: asyncio.Queue[asyncio.Future[None] | None] = asyncio.Queue()

    async def own(self, starts: asyncio.Semaphore) -> None:
        """Connect, take turns when asked to, and close."""
        import claude_agent_sdk as sdk
        from direct_cli import check

        client = sdk.ClaudeSDKClient(self._options)
        async with starts:
            await client.connect()
        try:
            while (order := await self._orders.get()) is not None:
                await client.query(MESSAGE)
                async for message in client.receive_response():
                    check(message)
                order.set_result(None)
        finally:
            await client.disconnect()

    async def turn(self) -> None:
        """Take a turn."""
        order: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        await self._orders.put(order)
        await order

    async def close(self) -> None:
        """Let the task end."""
        await self._orders.put(None)


@asynccontextmanager
async def raw_clients(home: Path, port: int) -> AsyncIterator[TurnOfAll]:
    """Yield a turn of all raw clients together."""
    from direct_cli import DirectCli

    cli = DirectCli(home, port)
    clients = [RawClient(cli.options()) for _number in range(COUNT)]
    starts = asyncio.Semaphore(STARTING)

    async def turn() -> None:
        await asyncio.gather(*(client.turn() for client in clients))

    async with asyncio.TaskGroup() as tasks:
        for client in clients:
            tasks.create_task(client.own(starts))
        await turn()
        yield turn
        for client in clients:
            await client.close()


@asynccontextmanager
async def conversations(address: str) -> AsyncIterator[TurnOfAll]:
    """Yield a turn of all conversations together."""
    import httpx

    limits = httpx.Limits(max_connections=COUNT)
    async with httpx.AsyncClient(base_url=address, timeout=120, limits=limits) as http:
        starts = asyncio.Semaphore(STARTING)

        async def begin() -> str:
            async with starts:
                return await say(http, {"message": MESSAGE})

        names = await asyncio.gather(*(begin() for _number in range(COUNT)))
        bodies = [{"message": MESSAGE, "conversation_id": name} for name in names]

        async def turn() -> None:
            await asyncio.gather(*(say(http, body) for body in bodies))

        yield turn


async def say(http: httpx.AsyncClient, body: dict[str, str]) -> str:
    """Take a turn of one conversation; return its id."""
    answer = (await http.post("/chat", json=body)).json()
    if answer.get("status") != "success" or not answer["persisted"]:
        raise SystemExit(f"Cannot measure: the turn failed: {answer}")
    return str(answer["conversation_id"])


async def measure(stack: LocalStack, group: MemoryGroup) -> dict[str, list[float]]:
    """Return the seconds of every common turn by its way, and control's memory."""
    sockets = stack.sockets("whole")
    address = stack.control(sockets, group=group, max_live_clients=64)
    stack.agent_side(sockets, stack.gateway(sockets))
    await until_connected(address)
    port = free_port()
    stack.offline_model(port=port)
    async with AsyncExitStack() as ways:
        ours = await ways.enter_async_context(conversations(address))
        direct = raw_clients(stack.directory / "direct", port)
        raw = await ways.enter_async_context(direct)
        print(f"{COUNT} and {COUNT} are connected", flush=True)
        return await interleave({OURS: ours, RAW: raw}, group)


async def interleave(
    turns: dict[str, TurnOfAll], group: MemoryGroup
) -> dict[str, list[float]]:
    """Return the seconds of each way, taken in turns, who is first too."""
    names = ("control, whole cgroup, MB", "control, anonymous, MB")
    samples: dict[str, list[float]] = {name: [] for name in (*turns, *names)}
    for number in range(WARM_UPS + ROUNDS):
        ordered = list(turns.items())
        for name, turn in ordered if number % 2 else reversed(ordered):
            started = time.perf_counter()
            await turn()
            if number >= WARM_UPS:
                samples[name].append(time.perf_counter() - started)
        measured = (group.whole_bytes(), group.anonymous_bytes())
        for name, size in zip(names, measured, strict=True):
            samples[name].append(size / MEGABYTE)
    return samples


def report(samples: dict[str, list[float]], dropped: bool) -> None:
    """Print the medians beside the aims."""
    for name in (RAW, OURS):
        values = samples[name]
        print(
            f"{name:34} {median(values):8.2f} s   median of {len(values)},"
            f" best {min(values):.2f}"
        )
    pairs = zip(samples[OURS], samples[RAW], strict=True)
    factor = median(ours / raw for ours, raw in pairs)
    print(f"{factor:.2f} x the raw clients (aim: {FACTOR_AIM} x)")
    whole, anonymous = (
        max(samples[name]) for name in samples if name not in (OURS, RAW)
    )
    cache = "dropped before" if dropped else "not dropped before: too low a figure"
    print(
        f"control with {COUNT} conversations {whole:.0f} MB, of which"
        f" {anonymous:.0f} anonymous (aim: {MEMORY_AIM_MEGABYTES} MB whole;"
        f" page cache {cache})"
    )


def demand_memory() -> None:
    """Raise SystemExit if both forties would not fit."""
    for line in Path("/proc/meminfo").read_text().splitlines():
        name, _colon, value = line.partition(":")
        if name == "MemAvailable" and int(value.split()[0]) * 1024 < NEEDED_BYTES:
            raise SystemExit(
                f"Cannot measure: {2 * COUNT} CLIs need {NEEDED_BYTES // 10**9} GB, "
                f"and{value} are available. Stop what takes it."
            )


def main() -> None:
    """Measure, report and record."""
    demand_memory()
    with (
        TemporaryDirectory(prefix="ak-", dir="/tmp") as scratch,
        new_group("agentkeep-forty-live") as group,
    ):
        stack = LocalStack(Path(scratch))
        dropped = drop_page_cache()
        with stack.running:
            samples = asyncio.run(measure(stack, group))
    report(samples, dropped)
    write_record("forty_live", samples, facts={"page_cache_dropped": dropped})


if __name__ == "__main__":
    main()
