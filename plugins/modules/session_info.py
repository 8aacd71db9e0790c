# Copyright: (c) 2026, The Agentkeep authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Say which sessions of a deployment resume, which do not, and why."""

from __future__ import annotations

DOCUMENTATION = r"""
module: session_info
version_added: 0.1.0
short_description: Say which sessions resume, which do not, and why
description:
  - Reads every transcript of the Claude CLI where the containers of a deployment keep
    them, and judges each as the CLI would on resuming it.
  - With O(url) it also asks the service for the session ids that it keeps, and names
    the halves that have lost their other half.
  - It reads from the host and needs no running container. No link is followed, and
    nothing is changed. The service repairs a damaged transcript with
    C(POST /sessions/{session_id}/repair).
author:
  - The Agentkeep authors (@agentkeep)
requirements:
  - The Docker SDK for Python (python3-docker) 5.0.3 or newer, if transcripts lie in a
    volume of the engine
extends_documentation_fragment:
  - agentkeep.agents.attributes
  - agentkeep.agents.attributes.info_module
  - agentkeep.agents.sessions
  - agentkeep.agents.connection
  - agentkeep.agents.inventory
  - agentkeep.agents.mounts
seealso:
  - module: agentkeep.agents.agent_probe
"""

EXAMPLES = r"""
- name: Judge every session
  agentkeep.agents.session_info:
    url: http://127.0.0.1:8700
    api_token_file: /srv/agentkeep/main/shared/settings/api_token
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
        config_directory: /data/memory/.claude
        working_directory: /data/memory
  become: true
  register: found

- name: Demand that every conversation can go on
  ansible.builtin.assert:
    that: found.session_info.lost == []

- name: Show the damaged transcripts
  ansible.builtin.debug:
    msg: "{{ found.session_info.sessions | selectattr('verdict', 'eq', 'damaged') }}"
"""

RETURN = r"""
session_info:
  description: The sessions, and where they lie.
  returned: success
  type: dict
  contains:
    sessions:
      description:
        - Every session that has a transcript, the last changed of each container first,
          then those that only the service knows.
      type: list
      elements: dict
      returned: success
      contains:
        agent:
          description: The agent, or V(none) for a container that serves all.
          type: str
          returned: success
          sample: main
        session_id:
          description: The CLI's id of the session.
          type: str
          returned: success
          sample: 5b0f5a34-0c1d-4a52-8a5e-8d6f0e1b2c3d
        conversation_id:
          description: The conversation that goes on in it, or V(none).
          type: str
          returned: success
          sample: conv-7d1f
        stored:
          description:
            - Whether the service keeps the id; V(none) if it was not asked, or the
              transcript is newer than its answer.
          type: bool
          returned: success
          sample: true
        durable:
          description:
            - Whether the service has once found a turn of it on disk, or V(none).
          type: bool
          returned: success
          sample: true
        verdict:
          description:
            - V(sound), or V(damaged) if it resumes without all of its turns.
            - V(unusable) if the CLI finds no conversation in it, V(foreign) if the
              transcript is another session's or another program's, V(missing) if there
              is none.
            - V(unknown) if not all transcripts of its agent could be looked at.
          type: str
          returned: success
          sample: damaged
        resumable:
          description: Whether the CLI goes on in it.
          type: bool
          returned: success
          sample: true
        why:
          description: What speaks against it, in words; empty if nothing does.
          type: str
          returned: success
          sample: "torn lines: 2 (the first in line 8)"
        faults:
          description:
            - The same with a C(kind), a C(count) and the C(first_line).
          type: list
          elements: dict
          returned: success
          sample: [{kind: torn, count: 2, first_line: 8}]
        path:
          description: The transcript on the host, or V(none).
          type: str
          returned: success
          sample: /srv/agentkeep/main/shared/home/.claude/projects/-data/5b0f5a34.jsonl
        bytes:
          description: Its size.
          type: int
          returned: success
          sample: 118204
        lines:
          description: The number of its lines.
          type: int
          returned: success
          sample: 41
        modified:
          description: When it was last written to, in seconds since 1970, or V(none).
          type: float
          returned: success
          sample: 1772443771.5
        copies:
          description: How many projects hold a file of that name.
          type: int
          returned: success
          sample: 1
    counts:
      description: The number of sessions of each verdict that occurs.
      type: dict
      returned: success
      sample: {sound: 12, damaged: 1}
    lost:
      description:
        - Those of RV(session_info.sessions) that a conversation of the service relies
          on and that do not resume.
      type: list
      elements: dict
      returned: success
      sample: []
    without_transcript:
      description: The ids that the service keeps and that have no transcript.
      type: list
      elements: str
      returned: success
      sample: []
    without_id:
      description:
        - The transcripts whose id the service does not keep, such as those of deleted
          and cleared conversations; empty without O(url).
      type: list
      elements: str
      returned: success
      sample: []
    places:
      description: Where the CLIs keep their sessions.
      type: list
      elements: dict
      returned: success
      contains:
        service:
          description: The container, by its short name.
          type: str
          returned: success
          sample: agent-main
        component:
          description: Its component.
          type: str
          returned: success
          sample: agent
        agent:
          description: Its agent, or V(none).
          type: str
          returned: success
          sample: main
        path:
          description: The directory of all projects, on the host or in the volume.
          type: str
          returned: success
          sample: /srv/agentkeep/main/agents/main/memory/.claude/projects
        volume:
          description: The volume that it lies in, or V(none).
          type: str
          returned: success
          sample: null
        transcripts:
          description: How many transcripts were judged.
          type: int
          returned: success
          sample: 13
        left_out:
          description: How many were not, because there are too many.
          type: int
          returned: success
          sample: 0
        error:
          description: Why it could not be read, or V(none).
          type: str
          returned: success
          sample: null
    warnings:
      description:
        - What an operator should know, such as conversations that cannot go on.
      type: list
      elements: str
      returned: success
      sample: []
"""

from typing import Any, Mapping

from ..module_utils._agentd.client import stored_sessions
from ..module_utils._client import Client, Connection, connection_spec
from ..module_utils._engine.engine import connect
from ..module_utils._engine.on_host import deployment_on_host
from ..module_utils._files.host_paths import HostPaths
from ..module_utils._mounts.options import mounts_spec
from ..module_utils._reconcile import report
from ..module_utils._state.options import inventory_spec
from ..module_utils._transcripts.options import Asked, sessions_spec
from ..module_utils._transcripts.read import Bounds, read_places
from ..module_utils._transcripts.report import report_of

SPEC = (
    connection_spec()
    .without_demands("url")
    .merge(inventory_spec())
    .merge(mounts_spec())
    .merge(sessions_spec())
)


def read(params: Mapping[str, Any]) -> Mapping[str, Any]:
    """Given the options, return every session and what speaks against it."""
    deployment = deployment_on_host(params).deployment
    asked = Asked.from_params(params, deployment, HostPaths())
    kept = None
    if params["url"] is not None:
        # First, so that no session is called lost that is newer than the look.
        kept = stored_sessions(Client(Connection.from_params(params)), asked.agent)

    def directory_of(volume: str) -> str | None:
        found = connect(params["engine_socket"]).volume(volume)
        return str(found["Mountpoint"]) if found else None

    bounds = Bounds(asked.most, asked.seconds)
    return report_of(
        read_places(asked.places, bounds, asked.managed, directory_of), kept
    )


def main() -> None:
    """Run the module."""
    report(SPEC, "session_info", read)


if __name__ == "__main__":
    main()
