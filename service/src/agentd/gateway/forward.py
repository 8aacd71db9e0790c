# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""Pass one request to the model and its answer back, both as they come."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import httpx
from starlette.types import Message, Receive, Scope, Send

from agentd.gateway.headers import request_headers, response_headers
from agentd.gateway.usage import Counters, UsageReader
from agentd.log import get_log

BODY_TIMEOUT_SECONDS = 60.0
MAX_REQUESTS_PER_AGENT = 32

_log = get_log("gateway")


@dataclass(frozen=True)
class Upstream:
    """Where the model is, and how it is reached; the key is never shown."""

    client: httpx.AsyncClient
    url: str
    max_request_bytes: int
    api_key: str | None = field(default=None, repr=False)


@dataclass
class Agent:
    """One agent as the gateway knows it: by its socket alone."""

    name: str
    counters: Counters = field(default_factory=Counters)
    running: int = 0


class Refused(Exception):
    """A request that does not go to the model, with its status and error type."""

    def __init__(self, status: int, kind: str, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.kind = kind


class Forwarder:
    """Passes requests for one path to the model; it never tries again itself."""

    def __init__(self, upstream: Upstream, path: str) -> None:
        self._upstream = upstream
        self._path = path

    async def handle(
        self, agent: Agent, scope: Scope, receive: Receive, send: Send
    ) -> None:
        """Serve one request; stop the upstream's work when the agent goes away."""
        exchange = Exchange(self._upstream, self._path, agent, receive, send)
        if agent.running >= MAX_REQUESTS_PER_AGENT:
            await exchange.refuse(
                Refused(429, "rate_limit_error", "too many requests are under way")
            )
            return
        agent.running += 1
        agent.counters.requests += 1
        try:
            async with asyncio.TaskGroup() as group:
                work = group.create_task(exchange.run(scope))
                watch = group.create_task(exchange.cancel_when_gone(work))
                work.add_done_callback(lambda _: watch.cancel())
        finally:
            agent.running -= 1


class Exchange:
    """One request and its answer."""

    def __init__(
        self,
        upstream: Upstream,
        path: str,
        agent: Agent,
        receive: Receive,
        send: Send,
    ) -> None:
        self._upstream = upstream
        self._path = path
        self._agent = agent
        self._receive = receive
        self._send = send
        self._body_taken = asyncio.Event()
        self._started = False

    async def cancel_when_gone(self, work: asyncio.Task[None]) -> None:
        """Cancel the work when the agent drops the connection after its request."""
        await self._body_taken.wait()
        while (await self._receive())["type"] != "http.disconnect":
            continue
        work.cancel()

    async def run(self, scope: Scope) -> None:
        """Pass the request on and the answer back; answer for what goes wrong."""
        try:
            await self._pass_on(scope)
        except Refused as refused:
            self._agent.counters.failures += 1
            await self._fail(refused)
        except httpx.TimeoutException:
            self._agent.counters.failures += 1
            await self._fail(self._unreachable(504, "it did not answer in time"))
        except httpx.HTTPError as error:
            self._agent.counters.failures += 1
            # The text of a protocol error may quote a header, and so the key.
            reason = str(error) if isinstance(error, httpx.ConnectError) else ""
            await self._fail(
                self._unreachable(502, reason or f"{type(error).__name__}")
            )
        except Exception as error:
            # Not quoted, as above; and no agent fills the log with tracebacks.
            self._agent.counters.failures += 1
            reason = f"the request cannot be passed on ({type(error).__name__})"
            await self._fail(Refused(502, "api_error", reason))

    def _unreachable(self, status: int, reason: str) -> Refused:
        message = (
            f"Cannot reach the model at {self._upstream.url}: {reason}. "
            "See that the gateway's network and the setting upstream are right."
        )
        return Refused(status, "api_error", message)

    async def _pass_on(self, scope: Scope) -> None:
        self._check_length(scope)
        query = b"beta=true" if scope["query_string"] == b"beta=true" else b""
        request = self._upstream.client.build_request(
            "POST",
            httpx.URL(f"{self._upstream.url}{self._path}", query=query or None),
            headers=request_headers(scope["headers"], self._upstream.api_key),
            content=self._body(),
        )
        response = await self._upstream.client.send(request, stream=True)
        try:
            await self._answer(response)
        finally:
            await response.aclose()

    def _check_length(self, scope: Scope) -> None:
        for name, value in scope["headers"]:
            if name == b"content-length" and int(value) > self._limit:
                raise self._too_large()

    @property
    def _limit(self) -> int:
        return self._upstream.max_request_bytes

    def _too_large(self) -> Refused:
        reason = f"the request is larger than {self._limit} bytes"
        return Refused(413, "request_too_large", reason)

    async def _body(self) -> AsyncIterator[bytes]:
        taken = 0
        while True:
            message = await self._next_message()
            content: bytes = message.get("body", b"")
            taken += len(content)
            if taken > self._limit:
                raise self._too_large()
            if not message.get("more_body", False):
                self._body_taken.set()
            if content:
                yield content
            if self._body_taken.is_set():
                return

    async def _next_message(self) -> Message:
        try:
            async with asyncio.timeout(BODY_TIMEOUT_SECONDS):
                message = await self._receive()
        except TimeoutError as error:
            reason = "the request's body stalled"
            raise Refused(408, "timeout_error", reason) from error
        if message["type"] == "http.disconnect":
            raise Refused(499, "api_error", "the agent dropped the connection")
        return message

    async def _answer(self, response: httpx.Response) -> None:
        kind = response.headers.get("content-type", "")
        reader = UsageReader(is_stream=kind.startswith("text/event-stream"))
        if response.status_code >= 400:
            self._agent.counters.failures += 1
        await self._send_start(
            response.status_code, response_headers(response.headers.raw)
        )
        async for chunk in response.aiter_raw():
            reader.feed(chunk)
            await self._send_body(chunk, more=True)
        usage = reader.finish()
        self._agent.counters.add(usage)
        await self._send_body(b"", more=False)
        _log.info(
            "model_request",
            agent=self._agent.name,
            status=response.status_code,
            input_tokens=usage.get("input_tokens", 0),
            output_tokens=usage.get("output_tokens", 0),
        )

    async def _fail(self, refused: Refused) -> None:
        _log.warning(
            "model_request_failed",
            agent=self._agent.name,
            status=refused.status,
            reason=str(refused),
        )
        if self._started:
            # The answer has begun: only a broken connection can tell of this.
            raise ConnectionAbortedError(str(refused))
        await self.refuse(refused)

    async def refuse(self, refused: Refused) -> None:
        """Answer with an error in the Messages API's form."""
        error = {"type": refused.kind, "message": str(refused)}
        body = json.dumps({"type": "error", "error": error}).encode()
        headers = [
            (b"content-type", b"application/json"),
            (b"content-length", str(len(body)).encode()),
        ]
        if not self._body_taken.is_set():
            headers.append((b"connection", b"close"))
        await self._send_start(refused.status, headers)
        await self._send_body(body, more=False)

    async def _send_start(
        self, status: int, headers: list[tuple[bytes, bytes]]
    ) -> None:
        self._started = True
        await self._send(
            {"type": "http.response.start", "status": status, "headers": headers}
        )

    async def _send_body(self, content: bytes, *, more: bool) -> None:
        await self._send(
            {"type": "http.response.body", "body": content, "more_body": more}
        )
