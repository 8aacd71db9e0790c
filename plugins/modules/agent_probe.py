# Copyright: (c) 2026, The Agentkeep authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Wait for the agent service and prove that it answers."""

from __future__ import annotations

DOCUMENTATION = r"""
module: agent_probe
version_added: 0.1.0
short_description: Wait for the agent service and prove that it answers
description:
  - Waits until control is healthy and the agents are connected and can write their
    state.
  - On request takes a turn with an agent, and fails unless it is answered and its
    transcript is on disk.
  - In check mode nothing is said, but the service must be there.
author:
  - The Agentkeep authors (@agentkeep)
extends_documentation_fragment:
  - agentkeep.agents.attributes
  - agentkeep.agents.connection
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
  idempotent:
    support: partial
    details:
      - A O(chat_message) is said again at every run.
options:
  agent:
    description:
      - The agent that must be there, and with which the turn is taken.
      - Without it every declared agent must be there, and the turn is taken with the
        first.
    type: str
  wait_seconds:
    description: How long to wait for the service and its agents.
    type: int
    default: 45
  turn:
    description:
      - Whether to take a turn in a conversation that is deleted afterwards.
    type: bool
    default: false
  chat_message:
    description:
      - What to say in a conversation that is kept.
      - It excludes O(turn).
    type: str
  conversation_id:
    description: The conversation to go on in; a new one without it.
    type: str
  expect:
    description: What the answer must contain.
    type: str
"""

EXAMPLES = r"""
- name: Wait until every agent is there
  agentkeep.agents.agent_probe:
    url: http://127.0.0.1:8700
    api_token: "{{ token }}"

- name: Take a turn that leaves nothing behind
  agentkeep.agents.agent_probe:
    url: http://127.0.0.1:8700
    api_token: "{{ token }}"
    agent: main
    turn: true

- name: Say something that the agent is to remember
  agentkeep.agents.agent_probe:
    url: http://127.0.0.1:8700
    api_token: "{{ token }}"
    chat_message: Remember the word mango.
  register: said

- name: Demand that it remembers
  agentkeep.agents.agent_probe:
    url: http://127.0.0.1:8700
    api_token: "{{ token }}"
    conversation_id: "{{ said.agent_probe.turn.conversation_id }}"
    chat_message: Which words did I ask you to remember?
    expect: mango
"""

RETURN = r"""
agent_probe:
  description: What the service said.
  returned: success
  type: dict
  contains:
    health:
      description: The health of the service.
      type: dict
      returned: success
      sample:
        status: ok
        version: 0.1.0
    agents:
      description: Every declared agent and how it is.
      type: list
      elements: dict
      returned: success
      sample:
        - name: main
          connected: true
          ok: true
          errors: []
          live_conversations: 0
    turn:
      description: The turn, or V(none) if none was taken.
      type: dict
      returned: success
      contains:
        conversation_id:
          description: The conversation.
          type: str
          returned: when a turn was taken
          sample: conv-1f0c
        session_id:
          description: The session of the CLI that holds it.
          type: str
          returned: when a turn was taken
          sample: 9b2f5f0e-6f0c-4c53-9d2b-1f2f6e0d3b11
        result:
          description: The answer.
          type: str
          returned: when a turn was taken
          sample: I remember mango.
        persisted:
          description: Whether the transcript is on disk, always V(true).
          type: bool
          returned: when a turn was taken
          sample: true
        duration_ms:
          description: How long it took.
          type: int
          returned: when a turn was taken
          sample: 640
"""

import time
from dataclasses import replace
from typing import Any, Mapping
from urllib.parse import quote

from ..module_utils._agentd.probe import (
    Probe,
    Service,
    judged_turn,
    plan_probe,
    waiting_for,
)
from ..module_utils._argument_spec import ArgumentSpec
from ..module_utils._client import Answer, Client, Connection, connection_spec
from ..module_utils._errors import ServiceRefused, ServiceUnreachable
from ..module_utils._plan import Plan
from ..module_utils._reconcile import Reconciliation, run

POLL_SECONDS = 0.25
HEALTH_TIMEOUT_SECONDS = 10.0

SPEC = connection_spec().merge(
    ArgumentSpec(
        {
            "agent": {"type": "str"},
            "wait_seconds": {"type": "int", "default": 45},
            "turn": {"type": "bool", "default": False},
            "chat_message": {"type": "str"},
            "conversation_id": {"type": "str"},
            "expect": {"type": "str"},
        },
        required_by={"conversation_id": ("chat_message",)},
    )
)


def wanted(params: Mapping[str, Any]) -> tuple[Client, Probe]:
    """Given the options, return whom to ask and what."""
    return Client(Connection.from_params(params)), Probe.from_params(params)


def read(asked: tuple[Client, Probe]) -> Service:
    """Return the service once it is ready; raise ServiceUnreachable in the end."""
    client, probe = asked
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


def plan(service: Service | None, asked: tuple[Client, Probe]) -> Plan:
    """Return the turn to take, if any."""
    return plan_probe(service, asked[1])


def apply(plan: Plan, asked: tuple[Client, Probe]) -> Plan:
    """Take the turn, and delete its conversation if it is not to be kept."""
    client, probe = asked
    answer = _accepted(client.post("/chat", probe.body()), "take a turn")
    if probe.turn and isinstance(answer.body, Mapping):
        conversation = quote(str(answer.body.get("conversation_id")), safe="")
        _accepted(client.delete(f"/chat/{conversation}"), "delete the conversation")
    turn = judged_turn(answer.body, probe)
    return replace(plan, output={**plan.output, "turn": turn})


def _look(client: Client, probe: Probe) -> tuple[Service, str | None]:
    health = client.get("/health", HEALTH_TIMEOUT_SECONDS)
    if health.status >= 500:
        return Service(), f"control is not healthy: {health.body}"
    _accepted(health, "read the health of the service")
    agents = client.get("/agents", HEALTH_TIMEOUT_SECONDS)
    if agents.status >= 500:
        return Service(), agents.error
    _accepted(agents, "list the agents")
    if not isinstance(health.body, Mapping) or not isinstance(agents.body, list):
        raise ServiceRefused(
            f'Cannot understand the service at "{client.url}"',
            "its health or its agents are not what agentd answers",
            "Check that url is the address of control and not of something else.",
        )
    service = Service(health=health.body, agents=agents.body)
    return service, waiting_for(service, probe.agent)


def _accepted(answer: Answer, what: str) -> Answer:
    if answer.status < 300:
        return answer
    raise ServiceRefused(
        f"Cannot {what}",
        answer.error,
        "Set api_token to the deployment's token."
        if answer.status in (401, 403)
        else "Look at the logs of control.",
    )


def main() -> None:
    """Run the module."""
    run(
        SPEC,
        Reconciliation(
            noun="agent_probe",
            wanted=wanted,
            read=read,
            plan=plan,
            apply=apply,
            settles=False,
        ),
    )


if __name__ == "__main__":
    main()
