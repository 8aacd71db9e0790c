# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""Git's requests of all agents: who asks is told by the socket, and bounded."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping

from starlette.types import Receive, Scope, Send

from agentd.gateway.account import Account
from agentd.gateway.exchange import Sender
from agentd.gateway.forge_access import ForgeAccess
from agentd.gateway.git_rules import KIND
from agentd.gateway.git_transfer import Transfer, refuse
from agentd.gateway.refusal import Refused

# A worktree is prepared by one git at a time; the agent's own calls come beside.
MAX_TRANSFERS_PER_AGENT = 16


class GitEndpoint:
    """Passes git's requests on for the agent whose socket they came by."""

    def __init__(
        self, accounts: Mapping[str, Account], forges: Mapping[str, ForgeAccess]
    ) -> None:
        self._accounts = accounts
        self._forges = forges
        self._running: Counter[str] = Counter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; stop the forge's work when the agent goes away."""
        agent = self._accounts[scope["server"][0]].name
        if self._running[agent] >= MAX_TRANSFERS_PER_AGENT:
            reason = f"{MAX_TRANSFERS_PER_AGENT} transfers of the agent are under way."
            await refuse(Refused(429, KIND, reason), Sender(send), close=True)
            return
        transfer = Transfer(agent, self._forges, receive)
        self._running[agent] += 1
        try:
            async with asyncio.TaskGroup() as group:
                work = group.create_task(transfer.run(scope, send))
                watch = group.create_task(transfer.body.cancel_when_gone(work))
                work.add_done_callback(lambda _: watch.cancel())
        finally:
            self._running[agent] -= 1
