# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""How issues stand: the gateway asks the forge, for it alone has the token."""

from __future__ import annotations

import asyncio
import json
import re
from dataclasses import dataclass
from typing import cast, get_args
from urllib.parse import urlencode

from agentd.api.gateway_socket import Answered, Question, ask
from agentd.errors import GatewayUnavailable, WorkRefused
from agentd.settings import ControlSettings
from agentd.spawner.calls import printable
from agentd.sweep.values import IssueState
from agentd.workdirs.names import RepositoryName

TIMEOUT_SECONDS = 60.0
MAX_BYTES = 65_536
# The question is at fault: no forge was asked.
REFUSED = frozenset({400, 403})
TRACKED = re.compile(r"[A-Z][A-Z0-9_]*-[1-9][0-9]*")


@dataclass(frozen=True)
class GatewayIssues:
    """Asks the gateway at its socket, one issue at a time."""

    path: str
    tracker: str | None = None

    async def state(self, repository: RepositoryName, issue: str) -> IssueState:
        """Return the state of an issue.

        Raise GatewayUnavailable, or WorkRefused if no such issue may be asked about.
        An issue with the key of a tracker is no forge's, and missing without one.
        """
        forge = repository.forge
        if TRACKED.fullmatch(issue):
            if self.tracker is None:
                return "missing"
            forge = self.tracker
        query = urlencode({"repository": repository.path, "issue": issue})
        question = Question("GET", f"/forges/{forge}/issues?{query}")
        try:
            async with asyncio.timeout(TIMEOUT_SECONDS):
                return read_state(await ask(self.path, question, MAX_BYTES))
        except (OSError, ValueError, RecursionError) as error:
            why = str(error) or "the gateway did not answer in time"
            raise GatewayUnavailable(
                f'Cannot ask forge "{forge}" about issue "{issue}" of '
                f'"{repository.path}": {why}. Look at the gateway\'s log.'
            ) from error


def issue_states(settings: ControlSettings) -> GatewayIssues | None:
    """Return what asks the gateway; without its socket nobody is asked."""
    if settings.gateway_status_socket is None:
        return None
    kinds = settings.forges.items()
    trackers = [name for name, forge in kinds if forge.kind == "jira"]
    return GatewayIssues(settings.gateway_status_socket, next(iter(trackers), None))


def read_state(answer: Answered) -> IssueState:
    """Return the state that an answer tells.

    Raise ValueError with the reason, or WorkRefused if it is the question's fault.
    """
    try:
        told = json.loads(answer.body)
    except ValueError:
        told = None
    found = told if isinstance(told, dict) else {}
    if answer.status != 200:
        reason = found.get("error")
        known = isinstance(reason, str) and reason
        why = printable(reason) if known else f"it said {answer.shown}"
        raise (WorkRefused if answer.status in REFUSED else ValueError)(why)
    state = found.get("state")
    if not isinstance(state, str) or state not in get_args(IssueState):
        raise ValueError("the gateway's answer tells no state")
    return cast(IssueState, state)
