# Copyright: (c) 2026, The Agentkeep authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a probe asks of the agent service over HTTP."""

from __future__ import annotations

import time
from typing import Any, Mapping
from urllib.parse import quote

from .._client import Answer, Client
from .._errors import ServiceRefused, ServiceUnreachable
from .._transcripts.halves import Kept, Stored, stored_of
from .conversations import is_kept, known_of, sessions_of
from .probe import Probe, Service, waiting_for

POLL_SECONDS = 0.25
HEALTH_TIMEOUT_SECONDS = 10.0
PAGE = 1000
MOST_CONVERSATIONS = 100_000


def ready(client: Client, probe: Probe) -> Service:
    """Return the service once it is ready; raise ServiceUnreachable in the end."""
    end = time.monotonic() + probe.wait_seconds
    while True:
        try:
            service, missing = _look(client, probe)
        except ServiceUnreachable as error:
            service, missing = Service(), error.why
        if missing is None:
            return service
        if time.monotonic() >= end:
            raise ServiceUnreachable(
                f'Cannot find the service at "{client.url}" ready',
                f"after {probe.wait_seconds:g} seconds {missing}",
                "Look at the logs of its containers, or raise wait_seconds.",
            )
        time.sleep(POLL_SECONDS)


def speak(client: Client, probe: Probe) -> Any:
    """Take a turn, and delete its conversation if it is not to be kept."""
    answer = accepted(client.post("/chat", probe.body()), "take a turn")
    if probe.turn and isinstance(answer.body, Mapping):
        path = _conversation(answer.body.get("conversation_id"))
        accepted(client.delete(path), "delete the conversation")
    return answer.body


def sessions(client: Client) -> dict[str, dict[str, str]]:
    """Return the conversation of every session that must be on disk, by agent."""
    known = {}
    for offset in range(0, MOST_CONVERSATIONS, PAGE):
        page = client.get(f"/chat?limit={PAGE}&offset={offset}", HEALTH_TIMEOUT_SECONDS)
        body = accepted(page, "list the conversations").body
        known.update({one.conversation: one for one in known_of(body)})
        if len(body["conversations"]) < PAGE:
            break
    return sessions_of(known.values())


def stored_sessions(client: Client, agent: str | None) -> Kept:
    """Return every session id that the service keeps, of one agent or of all."""
    asked_at = time.time()
    stored: list[Stored] = []
    for offset in range(0, MOST_CONVERSATIONS, PAGE):
        path = f"/sessions?limit={PAGE}&offset={offset}"
        page = client.get(path, HEALTH_TIMEOUT_SECONDS)
        body = accepted(page, "list the sessions").body
        stored += stored_of(body)
        if not body.get("more"):
            break
    own = tuple(one for one in stored if agent in (None, one.agent))
    return Kept(own, asked_at)


def is_still_kept(client: Client | None, conversation: str, session: str) -> bool:
    """Return whether a conversation must still have that session on disk."""
    if client is None:
        return True
    answer = client.get(_conversation(conversation), HEALTH_TIMEOUT_SECONDS)
    if answer.status == 404:
        return False
    body = accepted(answer, "read the conversation").body
    return is_kept(body) and body["session_id"] == session


def accepted(answer: Answer, what: str) -> Answer:
    """Return the answer unless it is a refusal; raise ServiceRefused."""
    if answer.status < 300:
        return answer
    raise ServiceRefused(
        f"Cannot {what}",
        answer.error,
        "Set api_token, or api_token_file, to the deployment's token."
        if answer.status in (401, 403)
        else "Look at the logs of control.",
    )


def _look(client: Client, probe: Probe) -> tuple[Service, str | None]:
    health = client.get("/health", HEALTH_TIMEOUT_SECONDS)
    if health.status >= 500:
        return Service(), f"control is not healthy: {health.body}"
    accepted(health, "read the health of the service")
    agents = client.get("/agents", HEALTH_TIMEOUT_SECONDS)
    if agents.status >= 500:
        return Service(), agents.error
    accepted(agents, "list the agents")
    if not isinstance(health.body, Mapping) or not isinstance(agents.body, list):
        raise ServiceRefused(
            f'Cannot understand the service at "{client.url}"',
            "its health or its agents are not what agentd answers",
            "Check that url is the address of control and not of something else.",
        )
    service = Service(health=health.body, agents=agents.body)
    return service, waiting_for(service, probe)


def _conversation(name: Any) -> str:
    return f"/chat/{quote(str(name), safe='')}"
