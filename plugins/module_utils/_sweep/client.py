# Copyright: (c) 2026, The Agentkeep authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a sweep and a reset ask of the agent service over HTTP."""

from __future__ import annotations

import time
from typing import Any, Mapping
from urllib.parse import quote

from .._agentd.client import HEALTH_TIMEOUT_SECONDS, accepted
from .._client import Client
from .._errors import ServiceRefused
from .reset import Issue, has_session
from .values import Swept, swept_of

POLL_SECONDS = 1.0
PAGE = 1000
MOST_SESSIONS = 100_000


def sweep(client: Client, wait_seconds: float, dry_run: bool) -> Swept:
    """Return a sweep that ended; while another one runs, wait for its end first."""
    end = time.monotonic() + wait_seconds
    while True:
        answer = client.post("/sweep", {"dry_run": dry_run})
        if answer.status != 409 or time.monotonic() >= end:
            return swept_of(accepted(answer, "sweep").body)
        time.sleep(POLL_SECONDS)


def find_session(client: Client, issue: Issue) -> bool:
    """Return whether an agent has a session of an issue."""
    for offset in range(0, MOST_SESSIONS, PAGE):
        agent = quote(issue.agent, safe="")
        path = f"/sessions?agent={agent}&limit={PAGE}&offset={offset}"
        answer = client.get(path, HEALTH_TIMEOUT_SECONDS)
        body = accepted(answer, "list the sessions").body
        if has_session(body, issue):
            return True
        if not body.get("more"):
            return False
    return False


def reset(client: Client, issue: Issue) -> Mapping[str, Any]:
    """Have an agent begin anew on an issue; return what was dropped."""
    body = {"agent": issue.agent, "repo": issue.repository, "issue": issue.issue}
    answer = accepted(client.post("/reset", body), "reset the issue").body
    dropped = answer.get("dropped") if isinstance(answer, Mapping) else None
    if not isinstance(dropped, Mapping):
        raise ServiceRefused(
            f'Cannot understand the service at "{client.url}"',
            "its answer does not tell what was dropped",
            "Check that url is the address of control and not of something else.",
        )
    return dropped
