# Copyright: (c) 2026, The Agentkeep authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Prove that the agent service answers and that its containers keep their state."""

from __future__ import annotations

DOCUMENTATION = r"""
module: agent_probe
version_added: 0.1.0
short_description: Prove that the agent service answers and its containers keep state
description:
  - Waits until control is healthy and the agents are connected and write their state.
  - On request takes a turn, and fails unless its transcript is on disk afterwards.
  - On request (O(inside)) writes, as the run-time user and inside each container, to
    everything that is mounted for writing, and opens every transcript to append to it.
    That finds what the Claude CLI loses without a word.
  - In check mode nothing is said, but the service must be there.
author:
  - The Agentkeep authors (@agentkeep)
extends_documentation_fragment:
  - agentkeep.agents.attributes
  - agentkeep.agents.inside
  - agentkeep.agents.connection
  - agentkeep.agents.inventory
  - agentkeep.agents.mounts
attributes:
  check_mode:
    support: full
    details: With O(inside) temporary files are made and removed in check mode too.
  diff_mode:
    support: full
  idempotent:
    support: partial
    details: A O(chat_message) is said again at every run.
options:
  agent:
    description:
      - The agent that must be there, and with which the turn is taken.
      - Without it every declared agent must be there; a O(turn) is taken with each of
        them, and O(chat_message) is said to the first.
      - With O(inside) only its container is probed.
    type: str
  wait_seconds:
    description: How long to wait for the service, its agents and the containers.
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
seealso:
  - module: agentkeep.agents.deployment_info
"""

EXAMPLES = r"""
- name: Wait until every agent is there
  agentkeep.agents.agent_probe:
    url: http://127.0.0.1:8700
    api_token_file: /srv/agentkeep/main/shared/settings/api_token

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

- name: Prove that every container can keep what it should
  agentkeep.agents.agent_probe:
    url: http://127.0.0.1:8700
    api_token_file: /srv/agentkeep/main/shared/settings/api_token
    inside: true
    data_root: /srv/agentkeep
    deployment: main
    inventory:
      - name: memory
        source: memory
        scope: agent
        owner: agent
        mode: "0750"
        mounts: [{component: agent, target: /data/memory, access: rw}]
        kind: workspace
        backup: files
    agents: [{name: main, uid: 20101}]
    services:
      agent:
        image: agentkeep/agentd:0.1.0
        config_directory: /data/memory/.claude
"""

RETURN = r"""
agent_probe:
  description: What the service said.
  returned: success
  type: dict
  contains:
    health:
      description: The health of the service, empty if it was not asked.
      type: dict
      sample: {status: ok, version: 0.1.0}
    agents:
      description: Every declared agent and how it is.
      type: list
      elements: dict
      sample: [{name: main, connected: true, ok: true, errors: []}]
    inside:
      description: What was found inside each container; empty without O(inside).
      type: list
      elements: dict
      contains:
        service:
          description: The short name of the container, such as C(agent-main).
          type: str
        component:
          description: Its component.
          type: str
        agent:
          description: Its agent, or V(none).
          type: str
        container:
          description: The beginning of its id, empty if there is none.
          type: str
        state:
          description: Its state, as the engine calls it, or V(missing).
          type: str
        uid:
          description: The user, as the host knows it, or V(none) if it does not run.
          type: int
        gid:
          description: The group, as the host knows it, or V(none).
          type: int
        written:
          description: Every directory that was to be written.
          type: list
          elements: str
        temporary:
          description: The directory for temporary files, or V(none) if it has no use.
          type: str
        transcripts:
          description:
            How many C(projects) there are, how many transcripts were C(found) and
            C(tried); empty without a C(config_directory).
          type: dict
        faults:
          description:
            What is wrong, each with a C(message) and, where they are known, C(entry),
            C(path), C(step), C(errno), C(uid), C(owner), C(mode), C(session_id) and
            C(conversation_id).
          type: list
          elements: dict
        faults_left_out:
          description: How many more faults there are than are told.
          type: int
        duration_ms:
          description: How long it took.
          type: int
    warnings:
      description: Transcripts that are gone, where O(faults) does not make them an end.
      type: list
      elements: str
    turn:
      description: The turn (with several agents that of the first), or V(none).
      type: dict
      contains:
        conversation_id:
          description: The conversation.
          type: str
        session_id:
          description: The session of the CLI that holds it.
          type: str
        result:
          description: The answer.
          type: str
        persisted:
          description: Whether the transcript is on disk, always V(true).
          type: bool
        duration_ms:
          description: How long it took.
          type: int
"""

from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Mapping, Sequence

from ..module_utils._agentd.client import is_still_kept, ready, sessions, speak
from ..module_utils._agentd.probe import (
    Probe,
    Service,
    judged_turn,
    plan_probe,
    probe_spec,
)
from ..module_utils._client import Client, Connection, connection_spec
from ..module_utils._errors import ServiceUnreachable
from ..module_utils._files.host_paths import HostPaths
from ..module_utils._plan import Plan
from ..module_utils._probe.options import Inside, inside_spec
from ..module_utils._probe.result import Probed, losses_of
from ..module_utils._probe.run import probe_inside
from ..module_utils._reconcile import Reconciliation, run

SPEC = connection_spec().without_demands("url").merge(inside_spec()).merge(probe_spec())


@dataclass(frozen=True)
class Wanted:
    """Hold whom to ask over HTTP, what, and what to probe from inside."""

    client: Client | None
    probe: Probe
    inside: Inside | None


def wanted(params: Mapping[str, Any]) -> Wanted:
    """Given the options, return what is asked."""
    probe, inside = Probe.from_params(params), Inside.from_params(params, HostPaths())
    known = params["url"] is not None
    client = Client(Connection.from_params(params)) if known else None
    return Wanted(client=client, probe=probe, inside=inside)


def read(asked: Wanted) -> Service:
    """Return the service once it is ready; raise what is wrong in the end."""
    service, failure, known = Service(), None, {}
    if asked.client is not None:
        try:
            service = ready(asked.client, asked.probe)
            known = sessions(asked.client) if asked.inside else {}
        except ServiceUnreachable as error:
            failure = error
    found: Sequence[Probed] = ()
    if asked.inside is not None:
        found = probe_inside(asked.inside, known, partial(is_still_kept, asked.client))
    # What its containers cannot write says more than that it is not ready.
    if failure is not None and not any(one.faults for one in found):
        raise failure
    return replace(
        service,
        inside=[one.for_output() for one in found],
        warnings=losses_of(found),
    )


def plan(service: Service | None, asked: Wanted) -> Plan:
    """Return the turn to take, if any."""
    return plan_probe(service, asked.probe)


def apply(plan: Plan, asked: Wanted) -> Plan:
    """Take the turn, and delete its conversation if it is not to be kept."""
    if asked.client is None:
        return plan
    turns = [
        judged_turn(speak(asked.client, one), one)
        for one in asked.probe.each(plan.output["agents"])
    ]
    return replace(plan, output={**plan.output, "turn": turns[0]})


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
