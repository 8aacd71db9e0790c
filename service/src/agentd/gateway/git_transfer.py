# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""One of git's requests from an agent: decided, passed on, answered, and noted."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from functools import partial

from starlette.types import Receive, Scope, Send

from agentd.gateway.exchange import Sender
from agentd.gateway.forge_access import ForgeAccess
from agentd.gateway.git_body import WHOLE_SECONDS, Answered, GitBody
from agentd.gateway.git_http import ask_over_http
from agentd.gateway.git_rules import (
    KIND,
    GitRequest,
    allowed_forge,
    parse_request,
    request_headers,
)
from agentd.gateway.git_ssh import ask_over_ssh
from agentd.gateway.refusal import Refused
from agentd.log import get_log

# What is wished for and what is known take some megabytes in the largest histories.
MAX_FETCH_BYTES = 64 * 1024 * 1024
MAX_PUSH_BYTES = 2 * 1024**3

_log = get_log("gateway")


class Transfer:
    """One request and its answer."""

    def __init__(
        self, agent: str, forges: Mapping[str, ForgeAccess], receive: Receive
    ) -> None:
        self._agent = agent
        self._forges = forges
        self._begun = time.monotonic()
        self._request: GitRequest | None = None
        self._answered_bytes = 0
        self.body = GitBody(receive)

    async def run(self, scope: Scope, send: Send) -> None:
        """Pass the request on and the answer back; answer for what goes wrong."""
        answer = Sender(send)
        try:
            async with asyncio.timeout(WHOLE_SECONDS):
                await self._pass_on(scope, answer)
        except Refused as refused:
            await self._fail(refused, answer)
        except Exception as error:
            # Not quoted: no text of a library's is known to be without the token.
            reason = f"The request cannot be passed on ({type(error).__name__})."
            await self._fail(Refused(502, KIND, reason), answer)

    async def _pass_on(self, scope: Scope, answer: Sender) -> None:
        request = self._request = parse_request(
            scope["method"], scope["raw_path"], scope["query_string"]
        )
        known = {name: forge.settings for name, forge in self._forges.items()}
        allowed_forge(self._agent, request, known)
        self.body.limit = _limit(request)
        headers = request_headers(scope["headers"], request, self.body.limit)
        if request.advertises:
            await self.body.skip()
        forge = self._forges[request.forge]
        ask = ask_over_http if forge.settings.ssh is None else ask_over_ssh
        await ask(forge, request, headers, self.body, partial(self._send, answer))
        await answer.body(b"", more=False)
        self._note()

    async def _send(self, answer: Sender, answered: Answered) -> None:
        await answer.start(200, answered.headers)
        async for piece in answered.pieces:
            self._answered_bytes += len(piece)
            await answer.body(piece, more=True)

    def _note(self) -> None:
        request = self._request
        if request is not None and not request.advertises:
            _log.info(
                "git_passed",
                agent=self._agent,
                forge=request.forge,
                repository=request.repository,
                service=request.service,
                sent_bytes=self.body.bytes,
                answered_bytes=self._answered_bytes,
                seconds=round(time.monotonic() - self._begun, 3),
            )

    async def _fail(self, refused: Refused, answer: Sender) -> None:
        request = self._request
        _log.warning(
            "git_request_failed",
            agent=self._agent,
            forge=None if request is None else request.forge,
            repository=None if request is None else request.repository,
            status=refused.status,
            reason=str(refused),
        )
        # Of an answer that has begun, only a broken connection can tell of this.
        if not answer.started:
            await refuse(refused, answer, close=not self.body.taken.is_set())


async def refuse(refused: Refused, answer: Sender, *, close: bool) -> None:
    """Answer with a sentence, which git shows to whoever called it."""
    body = f"{refused}\n".encode()
    headers = [
        (b"content-type", b"text/plain"),
        (b"content-length", str(len(body)).encode()),
        *([(b"connection", b"close")] if close else []),
    ]
    await answer.start(refused.status, headers)
    await answer.body(body, more=False)


def _limit(request: GitRequest) -> int:
    if request.advertises:
        return 0
    return MAX_PUSH_BYTES if request.pushes else MAX_FETCH_BYTES
