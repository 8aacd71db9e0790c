# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""The first turn of a conversation over HTTP, beside a new ``query()``.

Both start a CLI. A query ends with its CLI's end; its answer is there a little
earlier, and that is what the turn over HTTP is compared with.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import claude_agent_sdk as sdk
import httpx
from direct_cli import DirectCli, check, forget_environment
from local_stack import LocalStack, free_port, until_connected
from record import write_record

ROUNDS = 15
WARM_UPS = 2
MESSAGE = "Remember the word mango."
ANSWERED = "new query(), to its answer"
ENDED = "new query(), to its end"
HTTP = "first turn over HTTP"
AIM_MILLISECONDS = 50

Samples = dict[str, list[float]]


async def ask(cli: DirectCli) -> dict[str, float]:
    """Ask in a new CLI; return the seconds to its answer and to its end."""
    started = time.perf_counter()
    answered = 0.0
    async for message in sdk.query(prompt=MESSAGE, options=cli.options()):
        if check(message):
            answered = time.perf_counter() - started
    return {ANSWERED: answered, ENDED: time.perf_counter() - started}


async def say(client: httpx.AsyncClient) -> dict[str, float]:
    """Say the first message of a conversation; return the seconds it took."""
    started = time.perf_counter()
    answer = (await client.post("/chat", json={"message": MESSAGE})).json()
    elapsed = time.perf_counter() - started
    if answer.get("status") != "success" or not answer["persisted"]:
        raise SystemExit(f"Cannot measure: the turn failed: {answer}")
    # Its CLI would take time from the next one.
    await client.delete(f"/chat/{answer['conversation_id']}")
    return {HTTP: elapsed}


async def measure(stack: LocalStack) -> Samples:
    """Return the seconds of every first turn, by its way."""
    port = free_port()
    stack.offline_model(port=port)
    sockets = stack.sockets("whole")
    address = stack.control(sockets)
    stack.agent_side(sockets, stack.gateway(sockets))
    await until_connected(address)
    cli = DirectCli(stack.directory / "direct", port)
    async with httpx.AsyncClient(base_url=address, timeout=60) as client:
        return await interleave([lambda: ask(cli), lambda: say(client)])


async def interleave(ways: list[Callable[[], Awaitable[dict[str, float]]]]) -> Samples:
    """Return the seconds of each way, taken in turns, who is first too."""
    samples: Samples = {}
    for number in range(WARM_UPS + ROUNDS):
        for way in ways if number % 2 else reversed(ways):
            taken = await way()
            if number >= WARM_UPS:
                for name, seconds in taken.items():
                    samples.setdefault(name, []).append(seconds)
    return samples


def added(samples: Samples, than: str) -> float:
    """Return by how many milliseconds HTTP is slower, turn by neighbouring turn."""
    pairs = zip(samples[HTTP], samples[than], strict=True)
    return median(ours - theirs for ours, theirs in pairs) * 1000


def main() -> None:
    """Measure, report and record."""
    forget_environment()
    with TemporaryDirectory(prefix="ak-", dir="/tmp") as scratch:
        stack = LocalStack(Path(scratch))
        with stack.running:
            samples = asyncio.run(measure(stack))
    for name in (ANSWERED, ENDED, HTTP):
        values = samples[name]
        print(
            f"{name:34} {median(values) * 1000:8.1f} ms   median of {len(values)},"
            f" best {min(values) * 1000:.1f}"
        )
    print(
        f"the first turn over HTTP {added(samples, ANSWERED):.1f} ms over a new query()"
        f" (aim: {AIM_MILLISECONDS} ms); {added(samples, ENDED):.1f} ms over one to"
        " its CLI's end"
    )
    write_record("first_turn", samples)


if __name__ == "__main__":
    main()
