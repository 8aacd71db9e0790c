# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""How issues stand: the gateway asks the forge, for it alone has the token."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from typing import cast, get_args
from urllib.parse import urlencode

from agentd.api.gateway_socket import Answered, Question, ask
from agentd.errors import GatewayUnavailable
from agentd.spawner.calls import printable
from agentd.sweep.values import IssueState
from agentd.workdirs.names import RepositoryName

TIMEOUT_SECONDS = 60.0
MAX_BYTES = 65_536


@dataclass(frozen=True)
class GatewayIssues:
    """Asks the gateway at its socket, one issue at a time."""

    path: str

    async def state(self, repository: RepositoryName, issue: str) -> IssueState:
        """Return the state of an issue; raise GatewayUnavailable."""
        query = urlencode({"repository": repository.path, "issue": issue})
        question = Question("GET", f"/forges/{repository.forge}/issues?{query}")
        try:
            async with asyncio.timeout(TIMEOUT_SECONDS):
                return read_state(await ask(self.path, question, MAX_BYTES))
        except (OSError, ValueError, RecursionError) as error:
            why = str(error) or "the gateway did not answer in time"
            raise GatewayUnavailable(
                f'Cannot ask forge "{repository.forge}" about issue "{issue}" of '
                f'"{repository.path}": {why}. Look at the gateway\'s log.'
            ) from error


def issue_states(path: str | None) -> GatewayIssues | None:
    """Return what asks the gateway at that socket; without one nobody is asked."""
    return None if path is None else GatewayIssues(path)


def read_state(answer: Answered) -> IssueState:
    """Return the state that an answer tells; raise ValueError with the reason."""
    try:
        told = json.loads(answer.body)
    except ValueError:
        told = None
    found = told if isinstance(told, dict) else {}
    if answer.status != 200:
        reason = found.get("error")
        known = isinstance(reason, str) and reason
        raise ValueError(printable(reason) if known else f"it said {answer.shown}")
    state = found.get("state")
    if not isinstance(state, str) or state not in get_args(IssueState):
        raise ValueError("the gateway's answer tells no state")
    return cast(IssueState, state)
