# Copyright: (c) 2026, The Agentkeep authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""List the mounts of a deployment and the directories behind them."""

from __future__ import annotations

DOCUMENTATION = r"""
module: mount_info
version_added: 0.1.0
short_description: List the mounts of a deployment and the directories behind them
description:
  - Derives from the state inventory which container mounts what, where and how.
  - Nothing on the host is read or changed.
author:
  - The Agentkeep authors (@agentkeep)
extends_documentation_fragment:
  - agentkeep.agents.attributes
  - agentkeep.agents.attributes.info_module
  - agentkeep.agents.inventory
seealso:
  - module: agentkeep.agents.state_layout
"""

EXAMPLES = r"""
- name: Find out what every container mounts
  agentkeep.agents.mount_info:
    data_root: /srv/agentkeep
    deployment: main
    inventory:
      - name: memory
        scope: agent
        source: memory
        owner: agent
        mode: "0750"
        mounts:
          - component: agent
            target: /data/memory
            access: rw
        kind: workspace
        backup: files
        purpose: Working directory, persona and user skills of the agent.
    agents:
      - name: main
        uid: 20101
    components:
      control:
        uid: 20001
      gateway:
        uid: 20002
  register: mounts

- name: Show where the memory of agent main lies
  ansible.builtin.debug:
    var: mounts.mount_info.directories.memory.main
"""

RETURN = r"""
mount_info:
  description: The mounts, and the directories on the host.
  returned: success
  type: dict
  contains:
    mounts:
      description: Every mount of every container, in the order of the inventory.
      returned: success
      type: list
      elements: dict
      contains:
        component:
          description: The component that mounts it, V(agent), V(control) or V(gateway).
          type: str
          returned: success
          sample: agent
        agent:
          description: The name of the agent, or V(none) for control and the gateway.
          type: str
          returned: success
          sample: main
        entry:
          description: The name of the entry.
          type: str
          returned: success
          sample: memory
        type:
          description: Either V(bind) for a directory of the host, or V(volume).
          type: str
          returned: success
          sample: bind
        source:
          description: The directory on the host, or the name of the volume.
          type: str
          returned: success
          sample: /srv/agentkeep/main/agents/main/memory
        target:
          description: The path in the container.
          type: str
          returned: success
          sample: /data/memory
        access:
          description: Either V(rw) or V(ro).
          type: str
          returned: success
          sample: rw
        purpose:
          description: What the entry is for.
          type: str
          returned: success
          sample: Working directory, persona and user skills of the agent.
    directories:
      description:
        - For each entry that is a directory, its path on the host by the name of the
          agent.
        - The key is an empty text where the deployment has one for all agents.
      type: dict
      returned: success
      sample:
        memory:
          main: /srv/agentkeep/main/agents/main/memory
        database:
          "": /srv/agentkeep/main/shared/database
"""

from typing import Any, Mapping

from ..module_utils._mounts.effective import directories_of, mounts_of
from ..module_utils._reconcile import report
from ..module_utils._state.deployment import Deployment
from ..module_utils._state.options import inventory_spec

SPEC = inventory_spec()


def read(params: Mapping[str, Any]) -> Mapping[str, Any]:
    """Given the options, return the mounts and the directories."""
    deployment = Deployment.from_params(params)
    return {
        "mounts": [mount.for_output() for mount in mounts_of(deployment).mounts],
        "directories": directories_of(deployment),
    }


def main() -> None:
    """Run the module."""
    report(SPEC, "mount_info", read)


if __name__ == "__main__":
    main()
