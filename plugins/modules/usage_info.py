# Copyright: (c) 2026, The Agentkeep authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Say how many bytes and files the state of a deployment takes."""

from __future__ import annotations

DOCUMENTATION = r"""
module: usage_info
version_added: 0.1.0
short_description: Say how many bytes and files the state of a deployment takes
description:
  - Counts what every entry of the state inventory takes on the host, by entry, by agent
    and by area, and warns or fails if that is more than it may be.
  - Bytes are those of C(du -sb) with directories counted, a file of several names once.
    Files are all that is no directory.
  - It reads from the host and needs no running container. No link is followed, and
    nothing is changed. What agents change meanwhile leads nowhere else.
  - The service tells the same by C(GET /usage), as its agents claim it.
author:
  - The Agentkeep authors (@agentkeep)
requirements:
  - The Docker SDK for Python (python3-docker) 5.0.3 or newer, if state lies in a volume
    of the engine
extends_documentation_fragment:
  - agentkeep.agents.attributes
  - agentkeep.agents.attributes.info_module
  - agentkeep.agents.inventory
options:
  agent:
    description:
      - The agent whose entries are counted; everything without it.
    type: str
  services:
    description:
      - How the containers of each component run, as of M(agentkeep.agents.deployment).
      - Only C(config_directory) is read, to tell transcripts from what is around them.
    type: dict
    default: {}
  scan_timeout_seconds:
    description:
      - How long all of it may take. What is not counted until then is missing, and
        RV(usage_info.whole) is V(false).
    type: int
    default: 120
  warn_bytes:
    description: Above that, each agent's entries together, a warning is given.
    type: int
  limit_bytes:
    description: Above that, each agent's entries together, the module fails.
    type: int
  total_warn_bytes:
    description:
      - Above that, everything together, a warning is given.
      - It excludes O(agent).
    type: int
  total_limit_bytes:
    description:
      - Above that, everything together, the module fails.
      - It excludes O(agent).
    type: int
seealso:
  - module: agentkeep.agents.mount_info
  - module: agentkeep.agents.state_layout
"""

EXAMPLES = r"""
- name: Count what the agents take
  agentkeep.agents.usage_info:
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
    warn_bytes: 5000000000
    total_limit_bytes: 200000000000
  become: true
  register: found

- name: Show what the transcripts take
  ansible.builtin.debug:
    var: found.usage_info.areas.transcripts.bytes
"""

RETURN = r"""
usage_info:
  description: What is taken.
  returned: success
  type: dict
  contains:
    bytes:
      description: Everything together.
      type: int
      returned: success
      sample: 734003200
    files:
      description: The number of files, directories not counted.
      type: int
      returned: success
      sample: 20418
    entries:
      description:
        - Every entry of the inventory, once for each agent that has its own.
        - An entry that lies in another one is counted apart from it; a file that lies
          in the directory of another entry is counted there.
      type: list
      elements: dict
      returned: success
      contains:
        entry:
          description: Its name.
          type: str
          returned: success
          sample: memory
        kind:
          description: Its kind.
          type: str
          returned: success
          sample: workspace
        agent:
          description: The agent, or V(none) for one of all agents.
          type: str
          returned: success
          sample: main
        path:
          description: Where it lies on the host, or the name of its volume.
          type: str
          returned: success
          sample: /srv/agentkeep/main/agents/main/memory
        volume:
          description: The name of its volume, or V(none).
          type: str
          returned: success
          sample: null
        present:
          description: Whether it is there.
          type: bool
          returned: success
          sample: true
        bytes:
          description: What it takes.
          type: int
          returned: success
          sample: 83886080
        files:
          description: The number of its files.
          type: int
          returned: success
          sample: 652
        areas:
          description: The same by area, as in RV(usage_info.areas).
          type: dict
          returned: success
          sample: {workspace: {bytes: 20971520, files: 512}}
        error:
          description: Why it could not be counted, or V(none).
          type: str
          returned: success
          sample: null
    agents:
      description: The C(bytes) and C(files) of each agent, by its name.
      type: dict
      returned: success
      sample: {main: {bytes: 83886080, files: 652}}
    areas:
      description:
        - The C(bytes) and C(files) of each area, by its name. An area is the kind of an
          entry.
        - V(transcripts) are apart wherever they lie if O(services) tells where, and
          V(caches) are the clones of repositories in an entry of the kind
          V(workdirs).
      type: dict
      returned: success
      sample: {transcripts: {bytes: 62914560, files: 140}}
    seconds:
      description: How long it took.
      type: float
      returned: success
      sample: 0.612
    whole:
      description: Whether all of it was counted in time.
      type: bool
      returned: success
      sample: true
    warnings:
      description: What is above a limit, and what could not be counted.
      type: list
      elements: str
      returned: success
      sample: []
"""

from typing import Any, Mapping

from ..module_utils._engine.engine import connect
from ..module_utils._reconcile import report
from ..module_utils._state.deployment import Deployment
from ..module_utils._state.options import inventory_spec
from ..module_utils._usage.options import Asked, usage_spec
from ..module_utils._usage.read import read_usage

SPEC = inventory_spec().merge(usage_spec())


def read(params: Mapping[str, Any]) -> Mapping[str, Any]:
    """Given the options, return what everything takes; raise UsageExceeded."""
    asked = Asked.from_params(params, Deployment.from_params(params))

    def directory_of(volume: str) -> str | None:
        found = connect(params["engine_socket"]).volume(volume)
        return str(found["Mountpoint"]) if found else None

    found = read_usage(asked, directory_of)
    asked.limits.demand(found)
    return found.for_output(asked.limits.warnings(found))


def main() -> None:
    """Run the module."""
    report(SPEC, "usage_info", read)


if __name__ == "__main__":
    main()
