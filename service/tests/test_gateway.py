# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""The gateway: what passes, whose key goes out, and how agents are told apart."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from conftest import free_port
from models import KEY, client, gateway, model
from starlette.responses import JSONResponse

SESSION = "0b7c8f7e-3d5a-4c0e-9a39-5d8f0f6a1c11"


async def test_only_allowed_headers_pass_and_the_key_is_the_gateway_s(
    short_path: Path,
) -> None:
    async with model() as upstream, gateway(short_path, upstream.url) as stack:
        async with client(stack) as agent:
            response = await agent.post(
                "/v1/messages?beta=true&evil=1",
                json={"messages": []},
                headers={
                    "x-api-key": "the-agent-s",
                    "authorization": "Bearer the-agent-s",
                    "cookie": "a=b",
                    "x-forwarded-for": "1.2.3.4",
                    "anthropic-beta": "beta-1",
                    "x-stainless-lang": "js",
                    "x-claude-code-session-id": SESSION,
                },
            )

        assert response.status_code == 200
        url, headers, body = upstream.requests[0]
        assert url == f"{upstream.url}/v1/messages"
        assert json.loads(body) == {"messages": []}
        assert headers["x-api-key"] == KEY
        assert headers["anthropic-beta"] == "beta-1"
        assert headers["x-stainless-lang"] == "js"
        assert headers["x-claude-code-session-id"] == SESSION
        assert not {"authorization", "cookie", "x-forwarded-for"} & set(headers)


async def test_the_key_is_in_no_log_and_in_no_answer(short_path: Path) -> None:
    async with (
        model() as upstream,
        gateway(short_path, upstream.url, log_level="debug") as stack,
    ):
        upstream.answer = lambda request: JSONResponse(
            {"type": "error"},
            status_code=401,
            headers={"x-api-key": request.headers["x-api-key"], "request-id": "r1"},
        )
        async with client(stack) as agent:
            response = await agent.post("/v1/messages", json={})
            health = await agent.get("/health")

        assert response.status_code == 401
        assert response.headers["request-id"] == "r1"
        assert KEY not in str(response.headers) + response.text + health.text
        assert KEY not in stack.log("gateway")


async def test_no_other_path_or_method_reaches_the_model(short_path: Path) -> None:
    async with (
        model() as upstream,
        gateway(short_path, upstream.url) as stack,
        client(stack) as agent,
    ):
        for method, path in (
            ("GET", "/v1/messages"),
            ("PUT", "/v1/messages"),
            ("POST", "/v1/messages/"),
            ("POST", "/v1/messages/batches"),
            ("POST", "/v1/files"),
            ("POST", "/v1/messages/../files"),
            ("GET", "/v1/organizations"),
            ("POST", "//v1/messages"),
            ("POST", "/api/oauth/token"),
            ("POST", "/health"),
        ):
            response = await agent.request(method, path)

            assert response.status_code in {404, 405}, path
            assert "error" in response.json()
        assert upstream.requests == []


async def test_two_agents_are_told_apart_by_their_sockets_alone(
    short_path: Path,
) -> None:
    async with (
        model() as upstream,
        gateway(short_path, upstream.url, "main", "mail") as stack,
    ):
        async with client(stack) as main, client(stack, "mail") as mail:
            await main.post("/v1/messages", json={}, headers={"host": "mail"})

            of_main = (await main.get("/health")).json()
            of_mail = (await mail.get("/health")).json()

        assert of_main["agent"] == "main"
        assert of_main["usage"]["input_tokens"] == 3
        assert of_mail["agent"] == "mail"
        assert of_mail["usage"]["requests"] == 0


async def test_a_body_over_the_bound_is_refused_by_its_length(
    short_path: Path,
) -> None:
    async with (
        model() as upstream,
        gateway(short_path, upstream.url, max_request_bytes=2000) as stack,
        client(stack) as agent,
    ):
        response = await agent.post("/v1/messages", content=b"x" * 3000)

        assert response.status_code == 413
        assert response.json()["error"]["type"] == "request_too_large"
        assert upstream.requests == []


async def test_a_body_over_the_bound_is_refused_also_without_a_length(
    short_path: Path,
) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for _unused in range(30):
            yield b"x" * 100

    async with (
        model() as upstream,
        gateway(short_path, upstream.url, max_request_bytes=2000) as stack,
        client(stack) as agent,
    ):
        response = await agent.post("/v1/messages", content=pieces())

        assert response.status_code == 413
        assert upstream.requests == []


@pytest.mark.parametrize("status", [400, 429, 500, 529])
async def test_an_error_of_the_model_is_passed_on_once(
    short_path: Path, status: int
) -> None:
    async with (
        model() as upstream,
        gateway(short_path, upstream.url) as stack,
        client(stack) as agent,
    ):
        upstream.answer = lambda _: JSONResponse(
            {"type": "error", "n": 1}, status_code=status, headers={"retry-after": "3"}
        )

        response = await agent.post("/v1/messages", json={})

        assert response.status_code == status
        assert response.json() == {"type": "error", "n": 1}
        assert response.headers["retry-after"] == "3"
        assert len(upstream.requests) == 1


async def test_a_model_that_is_down_gives_a_clear_502(short_path: Path) -> None:
    url = f"http://127.0.0.1:{free_port()}"
    async with gateway(short_path, url) as stack, client(stack) as agent:
        response = await agent.post("/v1/messages", json={})

        assert response.status_code == 502
        message = response.json()["error"]["message"]
        assert url in message and "upstream" in message
