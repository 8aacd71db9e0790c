# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""What control makes of the gateway's words, whatever they are."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from agentd.api.gateway_status import MAX_BYTES, GatewayStatus, GatewayView, read_view
from agentd.clock import Clock
from agentd.gateway import status as told

USAGE = told.Usage(requests=3, input_tokens=40, output_tokens=2, cost_usd=0.5)


@asynccontextmanager
async def gateway(path: Path, answer: bytes) -> AsyncIterator[list[bytes]]:
    """Answer every connection on a socket alike; yield what was asked."""
    asked: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(answer)
        writer.close()

    server = await asyncio.start_unix_server(serve, path)
    async with server:
        yield asked


def http(body: bytes, status: bytes = b"200 OK") -> bytes:
    return b"HTTP/1.1 " + status + b"\r\nContent-Type: application/json\r\n\r\n" + body


async def view(path: Path, answer: bytes) -> GatewayView:
    async with gateway(path, answer):
        return await GatewayStatus(str(path), Clock()).view()


def test_the_gateways_own_document_is_understood() -> None:
    budget = told.BudgetStatus("day", 9.0, 5.0, 4.5, None, None)
    agent = told.AgentStatus(
        "rate_limited", 1.0, 2.0, "It said 429.", "gateway", 1, USAGE, budget
    )
    document = told.GatewayStatus("offline", 0.0, {"main": agent})

    found = read_view(json.dumps(document.for_output()).encode())

    model = found.agents["main"]
    assert (found.reachable, found.degraded, found.faults) == (True, True, ())
    assert (model.state, model.since, model.retry_after) == ("rate_limited", 1.0, 2.0)
    assert (model.numbers["tokens"], model.numbers["cost_usd"]) == (42.0, 0.5)
    assert model.budget is not None and model.budget["usd_left"] == 4.5


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"no HTTP",
        http(b"{}", b"500 Internal Server Error"),
        http(b"{"),
        http(b"[]"),
        http(b'{"agents": []}'),
        http(b"\xff\xfe"),
        http(b"[" * 100_000),
        http(b" " * (MAX_BYTES + 1)),
    ],
)
async def test_an_answer_that_is_none_is_said_and_breaks_nothing(
    tmp_path: Path, answer: bytes
) -> None:
    found = await view(tmp_path / "s", answer)

    assert (found.asked, found.reachable) == (True, False)
    assert found.error is not None and "Cannot ask the gateway" in found.error


async def test_words_of_the_wrong_kind_are_left_out(tmp_path: Path) -> None:
    main = {
        "state": ["ok"],
        "since": "yesterday",
        "retry_after": float("nan"),
        "running": 10**400,
        "reason": 7,
        "usage": {"tokens": "many", "requests": True, "failures": 2},
        "budget": {"usd": [], "period": 3},
    }
    body = json.dumps({"agents": {"main": main, "mail": 7}, "faults": "all"}).encode()

    found = await view(tmp_path / "s", http(body))

    model = found.agents["main"]
    assert set(found.agents) == {"main"}
    assert (model.state, model.since, model.retry_after) == ("unknown", None, None)
    assert (model.running, model.reason) == (0, None)
    assert dict(model.numbers) == {"failures": 2.0}


async def test_a_gateway_that_is_not_there_is_said(tmp_path: Path) -> None:
    found = await GatewayStatus(str(tmp_path / "nothing"), Clock()).view()

    assert found.degraded and not found.reachable


async def test_without_a_socket_nobody_is_asked_and_nothing_is_wrong() -> None:
    found = await GatewayStatus(None, Clock()).view()

    assert not found.degraded and not found.asked


async def test_the_gateway_is_asked_again_only_after_some_seconds(
    tmp_path: Path,
) -> None:
    times = [0.0]
    clock = Clock(monotonic=lambda: times[-1])
    async with gateway(tmp_path / "s", http(b'{"agents": {}}')) as asked:
        status = GatewayStatus(str(tmp_path / "s"), clock)
        for _unused in range(100):
            await status.view()
        first = len(asked)
        times.append(6.0)
        await status.view()

    assert (first, len(asked)) == (1, 2)
