# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""The time to the first token: directly, through the gateway, and the relay too.

The same offline model answers all of them. The request is as large as the CLI's own.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import AsyncExitStack
from pathlib import Path
from statistics import median, quantiles
from tempfile import TemporaryDirectory

import httpx
from local_stack import LocalStack, answers, free_port, until
from record import write_record

ROUNDS = 200
WARM_UPS = 10
FIRST_TOKEN = b"content_block_delta"
SYSTEM_CHARACTERS = 40_000
TOOLS = 20
TOOL_CHARACTERS = 3_000
DIRECT = "direct"
GATEWAY = "through the gateway"
RELAY = "through relay and gateway"
AIM_MILLISECONDS = 5


def request() -> dict[str, object]:
    """Return a request of the size that the CLI sends."""
    tool = {"input_schema": {"type": "object"}, "description": "a" * TOOL_CHARACTERS}
    return {
        "model": "offline-model",
        "max_tokens": 1024,
        "stream": True,
        "system": [{"type": "text", "text": "b" * SYSTEM_CHARACTERS}],
        "tools": [{"name": f"tool{number}", **tool} for number in range(TOOLS)],
        "messages": [{"role": "user", "content": "Remember the word mango."}],
    }


async def first_token(client: httpx.AsyncClient, body: dict[str, object]) -> float:
    """Return the seconds to the first token; the answer is read to its end."""
    started = time.perf_counter()
    elapsed = 0.0
    async with client.stream("POST", "/v1/messages", json=body) as response:
        if response.status_code != 200:
            raise SystemExit(f"Cannot measure: {await response.aread()!r}")
        async for chunk in response.aiter_raw():
            if not elapsed and FIRST_TOKEN in chunk:
                elapsed = time.perf_counter() - started
    return elapsed


async def measure(stack: LocalStack) -> dict[str, list[float]]:
    """Return the seconds to each first token, by its way."""
    port = free_port()
    stack.offline_model(port=port)
    key = stack.directory / "key"
    key.write_text("placeholder", encoding="utf-8")
    sockets = stack.sockets("whole")
    upstream = f"http://127.0.0.1:{port}"
    gateway = stack.gateway(sockets, upstream=upstream, api_key_file=str(key))
    relay = stack.agent_side(sockets, gateway)
    await until(lambda: answers(relay), "the relay")
    async with AsyncExitStack() as ways:
        clients = {
            DIRECT: httpx.AsyncClient(base_url=upstream),
            GATEWAY: httpx.AsyncClient(
                base_url="http://gateway",
                transport=httpx.AsyncHTTPTransport(uds=str(gateway)),
            ),
            RELAY: httpx.AsyncClient(base_url=f"http://127.0.0.1:{relay}"),
        }
        for client in clients.values():
            await ways.enter_async_context(client)
        return await interleave(clients)


async def interleave(clients: dict[str, httpx.AsyncClient]) -> dict[str, list[float]]:
    """Return the seconds of each way, taken in turns, who is first too."""
    samples: dict[str, list[float]] = {name: [] for name in clients}
    names = list(clients)
    body = request()
    for number in range(WARM_UPS + ROUNDS):
        shift = number % len(names)
        for name in names[shift:] + names[:shift]:
            seconds = await first_token(clients[name], body)
            if number >= WARM_UPS:
                samples[name].append(seconds)
    return samples


def report(samples: dict[str, list[float]]) -> None:
    """Print the medians, and what the gateway adds."""
    for name, values in samples.items():
        slow = quantiles(values, n=20)[-1]
        print(
            f"{name:28} {median(values) * 1000:6.2f} ms   median of {len(values)},"
            f" best {min(values) * 1000:.2f}, 95 of 100 within {slow * 1000:.2f}"
        )
    for name in (GATEWAY, RELAY):
        pairs = zip(samples[name], samples[DIRECT], strict=True)
        added = median(ours - direct for ours, direct in pairs) * 1000
        aim = f" (aim: {AIM_MILLISECONDS} ms)" if name == GATEWAY else ""
        print(f"{name}: {added:.2f} ms over direct{aim}")


def main() -> None:
    """Measure, report and record."""
    with TemporaryDirectory(prefix="ak-", dir="/tmp") as scratch:
        stack = LocalStack(Path(scratch))
        with stack.running:
            samples = asyncio.run(measure(stack))
    report(samples)
    write_record("gateway_first_token", samples)


if __name__ == "__main__":
    main()
