# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""A follow-up turn in five ways, interleaved, against the offline model.

1. a new ``query(resume=…)`` for each request, as a plain service would do it
2. a live client, directly over the CLI
3. the same through control's socket and the agent's relay
4. the same with the gateway in the way to the model
5. over HTTP: control, sockets, gateway, and the proof that the turn is on disk
"""

from __future__ import annotations

import asyncio
import json
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, closing
from http.client import HTTPConnection
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

import claude_agent_sdk as sdk
from direct_cli import DirectCli, check, forget_environment
from local_stack import AGENT, LocalStack, free_port, until, until_connected
from record import write_record

from agentd.engine.claude import ClaudeClient
from agentd.engine.client import Ended
from agentd.engine.protocol import ClientWish
from agentd.log import configure_log
from agentd.spawner.control import SocketSpawner

ROUNDS = 7
TURNS_PER_ROUND = 5
MESSAGE = "Remember the word mango."
NEW_QUERY = "new query(resume=…)"
LIVE = "live client, direct"
SOCKETS = "live client, sockets"
GATEWAY = "live client, sockets and gateway"
HTTP = "HTTP, sockets, gateway, proof"
ADDED_AIM_MILLISECONDS = 10
SPEED_AIM = 10

Turn = Callable[[], Awaitable[None]]


@asynccontextmanager
async def direct(model_port: int, home: Path) -> AsyncIterator[dict[str, Turn]]:
    """Yield the turns that go directly over the CLI."""
    session = str(uuid.uuid4())
    query, live = (DirectCli(home / place, model_port) for place in ("query", "live"))

    async def ask(given: sdk.ClaudeAgentOptions) -> None:
        async for message in sdk.query(prompt=MESSAGE, options=given):
            check(message)

    await ask(query.options(session_id=session))
    async with sdk.ClaudeSDKClient(live.options()) as client:

        async def say() -> None:
            await client.query(MESSAGE)
            async for message in client.receive_response():
                check(message)

        await say()
        yield {NEW_QUERY: lambda: ask(query.options(resume=session)), LIVE: say}


@asynccontextmanager
async def over_sockets(sockets: Path) -> AsyncIterator[Turn]:
    """Yield a turn in a live client whose CLI the agent side runs."""
    wish = ClientWish(AGENT, "conv-bench", str(uuid.uuid4()), resume=False)
    async with SocketSpawner(sockets, [AGENT], time.monotonic) as spawner:
        await until(lambda: spawner.states()[AGENT].connected, "an agent side")
        client = ClaudeClient(spawner, wish)
        await client.connect()
        told = client.messages()

        async def say() -> None:
            await client.say(MESSAGE, str(uuid.uuid4()))
            async for event in told:
                if isinstance(event, Ended):
                    if event.is_error:
                        raise SystemExit(f"Cannot measure: {event.error}")
                    return

        try:
            await say()
            yield say
        finally:
            await client.disconnect()


@asynccontextmanager
async def over_http(address: str) -> AsyncIterator[Turn]:
    """Yield a turn of one conversation over HTTP."""
    # The plainest client there is: what a caller's own library takes is not ours.
    with closing(HTTPConnection(urlsplit(address).netloc, timeout=60)) as connection:
        body = {"message": MESSAGE}
        headers = {"Content-Type": "application/json"}

        async def say() -> None:
            connection.request("POST", "/chat", json.dumps(body), headers)
            answer = json.load(connection.getresponse())
            if answer.get("status") != "success" or not answer["persisted"]:
                raise SystemExit(f"Cannot measure: the turn failed: {answer}")
            body["conversation_id"] = answer["conversation_id"]

        await say()
        yield say


async def measure(stack: LocalStack) -> dict[str, list[float]]:
    """Return the seconds of every turn, by its way."""
    model_port = free_port()
    model_socket = stack.directory / "model.sock"
    stack.offline_model(port=model_port)
    stack.offline_model(path=model_socket)
    async with AsyncExitStack() as ways:
        turns = await ways.enter_async_context(
            direct(model_port, stack.directory / "direct")
        )
        plain, guarded, whole = map(stack.sockets, ("plain", "guarded", "whole"))
        stack.agent_side(plain, model_socket)
        turns[SOCKETS] = await ways.enter_async_context(over_sockets(plain))
        stack.agent_side(guarded, stack.gateway(guarded))
        turns[GATEWAY] = await ways.enter_async_context(over_sockets(guarded))
        address = stack.control(whole)
        stack.agent_side(whole, stack.gateway(whole))
        await until_connected(address)
        turns[HTTP] = await ways.enter_async_context(over_http(address))
        return await interleave(turns)


async def interleave(turns: dict[str, Turn]) -> dict[str, list[float]]:
    """Return the seconds of each turn; the slow way goes once in each round."""
    samples: dict[str, list[float]] = {name: [] for name in turns}
    for _round in range(ROUNDS):
        for number in range(TURNS_PER_ROUND):
            for name, turn in turns.items():
                if name == NEW_QUERY and number:
                    continue
                started = time.perf_counter()
                await turn()
                samples[name].append(time.perf_counter() - started)
    return samples


def added(samples: dict[str, list[float]], way: str, than: str) -> float:
    """Return by how many milliseconds a way is slower, turn by neighbouring turn."""
    pairs = zip(samples[way], samples[than], strict=True)
    return median(slower - faster for slower, faster in pairs) * 1000


def report(samples: dict[str, list[float]]) -> None:
    """Print the medians, and what sockets and gateway add."""
    for name, values in samples.items():
        print(
            f"{name:34} {median(values) * 1000:8.1f} ms   median of {len(values)},"
            f" best {min(values) * 1000:.1f}"
        )
    print(
        f"sockets add {added(samples, SOCKETS, LIVE):.1f} ms and the gateway"
        f" {added(samples, GATEWAY, SOCKETS):.1f} ms, together"
        f" {added(samples, GATEWAY, LIVE):.1f} ms"
    )
    rest = added(samples, HTTP, GATEWAY)
    print(f"HTTP, the database and the proof on disk add {rest:.1f} ms")
    whole = added(samples, HTTP, LIVE)
    print(
        f"over HTTP {whole:.1f} ms over the live client"
        f" (aim: {ADDED_AIM_MILLISECONDS} ms)"
    )
    faster = median(samples[NEW_QUERY]) / median(samples[HTTP])
    print(f"over HTTP {faster:.1f} x faster than a new query (aim: {SPEED_AIM} x)")


def main() -> None:
    """Measure, report and record."""
    configure_log("benchmark", "warning")
    forget_environment()
    with TemporaryDirectory(prefix="ak-", dir="/tmp") as scratch:
        stack = LocalStack(Path(scratch))
        with stack.running:
            samples = asyncio.run(measure(stack))
    report(samples)
    write_record("follow_up_turn", samples)


if __name__ == "__main__":
    main()
