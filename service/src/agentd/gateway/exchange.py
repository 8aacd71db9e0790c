# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""One request to the model and its answer back, both as they come."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import cast

import httpx
from starlette.types import Receive, Scope, Send

from agentd.credentials.credential import Credential
from agentd.gateway.account import Account
from agentd.gateway.body import RequestBody
from agentd.gateway.condition import Told
from agentd.gateway.credentials import Credentials
from agentd.gateway.framing import framing_of
from agentd.gateway.headers import Header, request_headers, response_headers
from agentd.gateway.refusal import (
    AT_ONCE,
    Refused,
    answer_of,
    no_credential,
    not_signed_in,
)
from agentd.gateway.rules import BYTES_PER_TOKEN, Amount, estimate, price_of, priced
from agentd.gateway.scan import Asked
from agentd.gateway.status import Usage
from agentd.gateway.usage import AnswerReader
from agentd.log import get_log

SEND_SECONDS = 120.0
MESSAGES = "/v1/messages"
# What a stream says that began well and broke off.
STREAM_ERRORS = {"overloaded_error": 529, "rate_limit_error": 429}

_log = get_log("gateway")


@dataclass
class Upstream:
    """Where the model is, and how it is reached; offline it needs no credentials."""

    transport: httpx.AsyncBaseTransport
    url: str
    max_request_bytes: int
    credentials: Credentials = field(repr=False)
    timeout: Mapping[str, float] = field(default_factory=dict)
    is_offline: bool = False
    fault: str | None = None

    def unreachable(self, status: int, reason: str) -> Refused:
        """Return the refusal of a request for which the model was not reached."""
        message = (
            f"Cannot reach the model at {self.url}: {reason}. "
            "See that the gateway's network and the setting upstream are right."
        )
        return Refused(status, "api_error", message)


class Exchange:
    """One request and its answer."""

    def __init__(
        self, upstream: Upstream, path: str, account: Account, receive: Receive
    ) -> None:
        self._upstream = upstream
        self._path = path
        self._account = account
        self._receive = receive
        check_model = account.check_model if account.is_limited else None
        self._body = RequestBody(receive, upstream.max_request_bytes, check_model)
        self._session: str | None = None
        self._asked = Asked("")
        self._reserved: Amount | None = None
        self._reader: AnswerReader | None = None
        self._status = 0
        self._allowed = not account.is_limited
        self._sent = self._whole = self._refused = self._settled = False
        self._ending = False

    async def cancel_when_gone(self, work: asyncio.Task[None]) -> None:
        """Cancel the work when the agent drops the connection after its request."""
        await self._body.taken.wait()
        while (await self._receive())["type"] != "http.disconnect":
            continue
        # To break off the return of a connection would lose it to the pool.
        if not self._ending:
            work.cancel()

    async def run(self, scope: Scope, send: Send) -> None:
        """Pass the request on and the answer back; answer for what goes wrong."""
        answer = Sender(send)
        try:
            await self._pass_on(scope, answer)
        except Refused as refused:
            self._refused = self._status == 0
            await self._fail(refused, answer)
        except httpx.HTTPError as error:
            await self._fail(self._unreached(error), answer)
        except Exception as error:
            # Not quoted, as below; and no agent fills the log with tracebacks.
            reason = f"The request cannot be passed on ({type(error).__name__})."
            await self._fail(Refused(502, "api_error", reason), answer)
        finally:
            self._settle()

    def _unreached(self, error: httpx.HTTPError) -> Refused:
        if isinstance(error, httpx.TimeoutException):
            told = self._upstream.unreachable(504, "it did not answer in time")
        else:
            # The text of a protocol error may quote a header, and so the key.
            reason = str(error) if isinstance(error, httpx.ConnectError) else ""
            told = self._upstream.unreachable(502, reason or type(error).__name__)
        if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout):
            self._sent = False
            self._upstream.fault = str(told)
        return told

    async def _pass_on(self, scope: Scope, answer: Sender) -> None:
        framing = framing_of(scope["headers"], self._upstream.max_request_bytes)
        self._session = framing.session
        direct = self._account.rules.sign_in == "direct"
        if direct and not framing.is_signed:
            raise not_signed_in(self._account.name)
        credential = None if direct else self._credential()
        if self._is_billed:
            self._account.check_budget()
        withheld = self._account.withheld_betas
        request = httpx.Request(
            "POST",
            self._url(scope),
            headers=request_headers(
                scope["headers"], credential, own_sign_in=direct, withheld=withheld
            ),
            content=await self._body.content(self._allow),
            extensions={"timeout": self._upstream.timeout},
        )
        self._sent = True
        # Without httpx's client around it: redirects, cookies and the environment
        # are none of ours, and the first token comes sooner.
        response = await self._upstream.transport.handle_async_request(request)
        self._upstream.fault = None
        stream = cast(httpx.AsyncByteStream, response.stream)
        try:
            await self._answer(response, stream, answer)
        finally:
            self._ending = True
            await stream.aclose()

    def _url(self, scope: Scope) -> httpx.URL:
        query = b"beta=true" if scope["query_string"] == b"beta=true" else None
        return httpx.URL(f"{self._upstream.url}{self._path}", query=query)

    def _credential(self) -> Credential | None:
        if self._upstream.is_offline:
            return None
        found = self._upstream.credentials.current()
        if found is None:
            raise no_credential()
        return found

    @property
    def _is_billed(self) -> bool:
        return self._path == MESSAGES and self._account.has_budget

    async def _allow(self, asked: Asked) -> None:
        """Let the request go, once what it may cost is set aside."""
        self._asked = asked
        if self._is_billed:
            price = price_of(asked.model, self._account.prices)
            amount = estimate(asked, self._body.bytes, price)
            await self._account.reserve(amount)
            self._reserved = amount
        self._allowed = True

    async def _answer(
        self, response: httpx.Response, stream: httpx.AsyncByteStream, answer: Sender
    ) -> None:
        kind = response.headers.get("content-type", "")
        reader = AnswerReader(is_stream=kind.startswith("text/event-stream"))
        self._reader, self._status = reader, response.status_code
        if self._status < 400:
            self._note_answer(Told(self._status))
        await answer.start(self._status, self._response_headers(response))
        async for chunk in stream:
            reader.feed(chunk)
            await answer.body(chunk, more=True)
        self._ending = self._whole = True
        await stream.aclose()
        reader.finish()
        status = STREAM_ERRORS.get(reader.error_kind or "", self._status)
        if status >= 400:
            wait = response.headers.get("retry-after")
            self._note_answer(Told(status, reader.error_kind, wait))
        # Before the agent knows of the end, so that its next request is counted on.
        self._settle()
        await answer.body(b"", more=False)

    def _response_headers(self, response: httpx.Response) -> list[Header]:
        headers = response_headers(response.headers.raw)
        ours = self._account.rules.sign_in == "gateway"
        if self._status == 401 and ours and "x-should-retry" not in response.headers:
            # The CLI would ask ten times, for three minutes, with the same key.
            headers.extend(AT_ONCE)
        return headers

    def _note_answer(self, told: Told) -> None:
        signs = {told.status, self._account.condition().state}
        if self._path == MESSAGES or signs & {401, 403, "signed_out"}:
            self._account.note_answer(told)

    def _settle(self) -> None:
        """Count what was used, once, and give back what was set aside."""
        if self._settled:
            return
        self._settled = True
        self._account.record(self._used(), self._session)
        if self._reserved is not None:
            self._account.release(self._reserved)

    def _used(self) -> Usage:
        if self._refused:
            return Usage(requests=1, refused=1)
        is_failure = not self._whole or self._status >= 400
        counted = Usage(requests=1, failures=int(is_failure))
        if self._path != MESSAGES:
            return counted
        tokens = self._tokens()
        model = (self._reader.model if self._reader else None) or self._asked.model
        price = price_of(model, self._account.prices)
        if price is None:
            price = price_of(self._asked.model, self._account.prices)
        return counted + priced(tokens, price)

    def _tokens(self) -> Usage:
        went = self._sent and self._allowed and self._body.taken.is_set()
        if self._status >= 400 or not went:
            return Usage()
        if self._reader is not None and not self._reader.is_cut:
            tokens = self._reader.tokens(whole=self._whole)
            if self._whole or tokens.tokens:
                return tokens
        return self._unanswered()

    def _unanswered(self) -> Usage:
        """Return what is taken for used where the answer's figures are not known.

        The model has read it, and without a stream has gone on to the end.
        """
        output = 0 if self._asked.stream else self._asked.max_tokens
        return Usage(
            input_tokens=self._body.bytes // BYTES_PER_TOKEN, output_tokens=output
        )

    async def _fail(self, refused: Refused, answer: Sender) -> None:
        _log.warning(
            "model_request_failed",
            agent=self._account.name,
            status=refused.status,
            reason=str(refused),
        )
        # Of an answer that has begun, only a broken connection can tell of this.
        if not answer.started:
            await answer.refuse(refused, close=not self._body.taken.is_set())


class Sender:
    """Sends one answer; an agent that does not read it loses it."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.started = False

    async def start(self, status: int, headers: list[Header]) -> None:
        """Send the status and the headers."""
        self.started = True
        await self._send(
            {"type": "http.response.start", "status": status, "headers": headers}
        )

    async def body(self, content: bytes, *, more: bool) -> None:
        """Send a piece of the body."""
        async with asyncio.timeout(SEND_SECONDS):
            await self._send(
                {"type": "http.response.body", "body": content, "more_body": more}
            )

    async def refuse(self, refused: Refused, *, close: bool) -> None:
        """Answer with an error; close what still sends a body that nobody reads."""
        answer = answer_of(refused)
        headers = [*answer.headers, *([(b"connection", b"close")] if close else [])]
        await self.start(answer.status, headers)
        await self.body(answer.body, more=False)
