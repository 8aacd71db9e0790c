# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""Budgets of agents: what passes, what is refused, and what a restart remembers."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from models import budget, client, gateway, kept, model, said, usage_of
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from agentd.gateway.account import Account
from agentd.gateway.refusal import Refused
from agentd.gateway.rules import MAX_BEYOND_BUDGET, Amount
from agentd.gateway.status import Usage
from agentd.gateway.usage import MAX_BODY_BYTES
from agentd.gateway_settings import AgentRules
from agentd.offline_model.stream import event

WAIT_SECONDS = 10


async def test_an_agent_without_budget_left_is_told_so_and_others_go_on(
    short_path: Path,
) -> None:
    """J14: an agent cannot spend another one's budget."""
    rules = budget(budget_tokens=1000)
    async with (
        gateway(
            short_path, "offline", "main", "mail", **kept(short_path, **rules)
        ) as stack,
        client(stack) as main,
        client(stack, "mail") as mail,
    ):
        text = "use 900 input tokens, use 200 output tokens"
        first = await main.post("/v1/messages", json=said(text))
        second = await main.post("/v1/messages", json=said("Hello"))
        counted = await main.post("/v1/messages/count_tokens", json=said("Hello"))
        other = await mail.post("/v1/messages", json=said("Hello"))
        status = await usage_of(stack)

    assert first.status_code == 200, "a request that runs over is answered"
    assert second.status_code == 402
    assert second.headers["x-should-retry"] == "false"
    error = second.json()["error"]
    assert error["type"] == "billing_error"
    assert "1100 of 1000 tokens today" in error["message"]
    assert "deployment_agents" in error["message"]
    assert (counted.status_code, other.status_code) == (200, 200)
    assert status["state"] == "over_budget"
    assert status["budget"]["tokens_left"] == 0
    assert status["retry_after"] == status["budget"]["resets_at"]
    assert status["usage"]["refused"] == 1
    assert status["usage"]["tokens"] == 1100


async def test_dollars_are_counted_by_the_price_of_the_model(short_path: Path) -> None:
    rules = budget(budget_usd=0.01, budget_period="month")
    async with (
        gateway(short_path, "offline", **kept(short_path, **rules)) as stack,
        client(stack) as main,
    ):
        text = "use 1000 input tokens, use 1000 output tokens"
        assert (await main.post("/v1/messages", json=said(text))).status_code == 200
        status = await usage_of(stack)
        unpriced = await main.post("/v1/messages", json=said("Hi", model="other"))

    assert status["usage"]["cost_usd"] == pytest.approx(0.006)
    assert status["budget"]["usd_left"] == pytest.approx(0.004)
    assert unpriced.status_code == 403
    assert "deployment_prices" in unpriced.json()["error"]["message"]


async def test_a_model_that_the_rules_do_not_allow_never_reaches_the_model(
    short_path: Path,
) -> None:
    rules = {"rules": {"main": {"models": ["claude-x"]}}}
    async with (
        model() as upstream,
        gateway(short_path, upstream.url, **rules) as stack,
        client(stack) as main,
    ):
        refused = await main.post("/v1/messages", json=said("Hi", model="claude-y"))
        counted = await main.post(
            "/v1/messages/count_tokens", json=said("Hi", model="claude-y")
        )
        late = json.dumps({"messages": ["x" * 600_000], "model": "claude-y"}).encode()
        behind = await main.post("/v1/messages", content=late)
        twice = await main.post(
            "/v1/messages", content=b'{"model":"claude-x","model":"claude-y"}'
        )
        passed = await main.post("/v1/messages", json=said("x" * 600_000))

    assert refused.status_code == counted.status_code == behind.status_code == 403
    assert refused.json()["error"]["type"] == "permission_error"
    assert "claude-y" in refused.json()["error"]["message"]
    assert twice.status_code == 400
    assert passed.status_code == 200
    assert [json.loads(body)["model"] for _url, _names, body in upstream.requests] == [
        "claude-x"
    ]


async def test_a_stream_that_runs_over_the_budget_is_finished(short_path: Path) -> None:
    rules = budget(budget_tokens=50)
    async with (
        gateway(short_path, "offline", **kept(short_path, **rules)) as stack,
        client(stack) as main,
    ):
        body = said("use 40 input tokens, use 900 output tokens", stream=True)
        response = await main.post("/v1/messages", json=body)

        assert "message_stop" in response.text
        assert (await usage_of(stack))["state"] == "over_budget"


async def test_only_so_many_requests_run_together_on_what_is_left(
    short_path: Path,
) -> None:
    """An agent ends above its budget by four requests at most."""
    running = most = 0
    go_on = asyncio.Event()

    async def answer() -> AsyncIterator[bytes]:
        nonlocal running, most
        running += 1
        most = max(most, running)
        yield event("message_start", message={"usage": {"input_tokens": 10}})
        await go_on.wait()
        running -= 1
        yield event("message_delta", usage={"output_tokens": 500})

    rules = budget(budget_tokens=1000)
    async with (
        model() as upstream,
        gateway(short_path, upstream.url, **kept(short_path, **rules)) as stack,
        client(stack) as main,
    ):
        upstream.answer = lambda _: StreamingResponse(
            answer(), media_type="text/event-stream"
        )
        body = said("Hi", stream=True, max_tokens=900)
        async with asyncio.TaskGroup() as group:
            asked = [
                group.create_task(main.post("/v1/messages", json=body))
                for _unused in range(12)
            ]
            while running < MAX_BEYOND_BUDGET:
                await asyncio.sleep(0.01)
            await asyncio.sleep(0.3)
            go_on.set()
        found = sorted(task.result().status_code for task in asked)
        status = await usage_of(stack)

    assert most == MAX_BEYOND_BUDGET
    assert found.count(402) >= 12 - 2 * MAX_BEYOND_BUDGET
    assert status["usage"]["tokens"] <= 1000 + MAX_BEYOND_BUDGET * 510


async def test_what_waits_for_the_budget_too_long_is_told_to_come_back() -> None:
    rules = AgentRules(budget_tokens=100)
    account = Account("main", rules, {}, lambda: 0.0, wait_seconds=0.05)
    for _unused in range(MAX_BEYOND_BUDGET):
        await account.reserve(Amount(60))

    with pytest.raises(Refused) as refused:
        await account.reserve(Amount(1))

    assert refused.value.status == 429
    assert refused.value.headers == ((b"retry-after", b"5"),)


async def test_an_answer_that_is_not_awaited_is_counted_all_the_same(
    short_path: Path,
) -> None:
    """Nobody spends for nothing by going away before the figures come."""

    async def endless(request: Request) -> AsyncIterator[bytes]:
        yield event("message_start", message={"usage": {"input_tokens": 10}})
        while True:
            delta = {"type": "text_delta", "text": "x" * 300}
            yield event("content_block_delta", index=0, delta=delta)
            await asyncio.sleep(0.01)

    async def silent(request: Request) -> Response:
        await asyncio.sleep(60)
        return JSONResponse({})

    async with (
        model() as upstream,
        gateway(short_path, upstream.url, **kept(short_path)) as stack,
        client(stack) as main,
    ):
        upstream.answer = lambda request: StreamingResponse(
            endless(request), media_type="text/event-stream"
        )
        body = said("Hi", stream=True)
        async with main.stream("POST", "/v1/messages", json=body) as response:
            taken = 0
            async for chunk in response.aiter_raw():
                taken += chunk.count(b"text_delta")
                if taken > 20:
                    break
        async with asyncio.timeout(WAIT_SECONDS):
            while (await usage_of(stack))["running"]:
                await asyncio.sleep(0.01)
        usage = (await usage_of(stack))["usage"]

    assert usage["input_tokens"] == 10
    assert usage["output_tokens"] >= 20 * 300 // 4
    assert usage["failures"] == 1


def test_a_day_is_over_at_midnight_and_old_days_stay_counted() -> None:
    now = 86_400.0 * 20_000 + 86_399
    rules = AgentRules(budget_tokens=10)
    account = Account("main", rules, {}, lambda: now)
    account.record(Usage(requests=1, input_tokens=10))
    with pytest.raises(Refused):
        account.check_budget()

    now += 1

    account.check_budget()
    assert account.status().state == "ok"
    assert account.total.tokens == 10


async def test_a_request_with_another_name_in_its_headers_is_its_own(
    short_path: Path,
) -> None:
    """J14: what an agent says of itself changes nothing."""
    async with (
        gateway(short_path, "offline", "main", "mail", **kept(short_path)) as stack,
        client(stack) as main,
    ):
        lies = {"host": "mail", "x-agent": "mail", "forwarded": "for=mail"}
        await main.post("/v1/messages", json=said("Hi"), headers=lies)
        mail = await usage_of(stack, "mail")

    assert isinstance(mail["usage"], dict)
    assert mail["usage"]["requests"] == 0


async def test_an_answer_too_large_to_be_read_is_counted_by_what_was_asked_for(
    short_path: Path,
) -> None:
    """Such as one that quotes whole pages: the agent asked for them."""
    large = {"content": "x" * MAX_BODY_BYTES, "usage": {"input_tokens": 3}}
    rules = budget(budget_tokens=1_000_000)
    async with (
        model() as upstream,
        gateway(short_path, upstream.url, **kept(short_path, **rules)) as stack,
        client(stack) as main,
    ):
        upstream.answer = lambda _request: JSONResponse(large)
        body = said("Hi", max_tokens=100)
        answer = await main.post("/v1/messages", json=body)
        usage = (await usage_of(stack))["usage"]

    assert answer.json() == large
    assert usage["output_tokens"] == 100
    assert usage["input_tokens"] > 0
