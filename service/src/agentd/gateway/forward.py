# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""Serve the requests for one path of the Messages API; never try one again."""

from __future__ import annotations

import asyncio

from starlette.types import Receive, Scope, Send

from agentd.gateway.account import Account
from agentd.gateway.exchange import Exchange, Sender, Upstream
from agentd.gateway.refusal import Refused
from agentd.gateway.status import Usage

# All 64 live clients of an agent may ask at once, and some have subagents.
MAX_REQUESTS_PER_AGENT = 96


class Forwarder:
    """Passes requests for one path to the model; it never tries again itself."""

    def __init__(self, upstream: Upstream, path: str) -> None:
        self._upstream = upstream
        self._path = path

    async def handle(
        self, account: Account, scope: Scope, receive: Receive, send: Send
    ) -> None:
        """Serve one request; stop the model's work when the agent goes away."""
        if account.running >= MAX_REQUESTS_PER_AGENT:
            account.record(Usage(requests=1, refused=1))
            reason = f"{MAX_REQUESTS_PER_AGENT} requests of the agent are under way."
            refused = Refused(429, "rate_limit_error", reason)
            await Sender(send).refuse(refused, close=True)
            return
        exchange = Exchange(self._upstream, self._path, account, receive)
        account.running += 1
        try:
            async with asyncio.TaskGroup() as group:
                work = group.create_task(exchange.run(scope, send))
                watch = group.create_task(exchange.cancel_when_gone(work))
                work.add_done_callback(lambda _: watch.cancel())
        finally:
            account.running -= 1
