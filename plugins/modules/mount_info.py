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
  - Derives from the state inventory, the operator's mounts and the allowlist which
    container mounts what, where and how, and says why.
  - This list is the only one. The containers, the report and the comparison of what
    runs with what is declared all come from it.
  - Nothing on the host is changed. The allowlist is read, and links on the way to
    an operator's directories are followed, anew at each run.
author:
  - The Agentkeep authors (@agentkeep)
extends_documentation_fragment:
  - agentkeep.agents.attributes
  - agentkeep.agents.attributes.info_module
  - agentkeep.agents.inventory
  - agentkeep.agents.mounts
seealso:
  - module: agentkeep.agents.state_layout
  - module: agentkeep.agents.deployment
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
    operator_mounts:
      - source: /srv/projects/handbook
        access: rw
        purpose: The handbook that the agent keeps.
    operator_mounts_refused: skip
  register: mounts

- name: Show what was refused, and why
  ansible.builtin.debug:
    var: mounts.mount_info.refused

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
      description:
        - Every mount of every container, in the order of the inventory, with what lies
          in a mount after it. Operator mounts are last.
      returned: success
      type: list
      elements: dict
      contains:
        component:
          description: The component that mounts it, such as V(agent) or V(control).
          type: str
          returned: success
          sample: agent
        agent:
          description:
            - The name of the agent, or V(none) for a component that serves all.
          type: str
          returned: success
          sample: main
        entry:
          description: The name of the entry, or of the operator mount.
          type: str
          returned: success
          sample: memory
        type:
          description: Either V(bind) for a directory of the host, or V(volume).
          type: str
          returned: success
          sample: bind
        source:
          description:
            - The directory on the host with links followed, or the name of the volume.
          type: str
          returned: success
          sample: /srv/agentkeep/main/agents/main/memory
        target:
          description: The path in the container.
          type: str
          returned: success
          sample: /data/memory
        requested:
          description: What was asked for, V(rw) or V(ro).
          type: str
          returned: success
          sample: rw
        effective:
          description: What takes effect, V(rw) or V(ro).
          type: str
          returned: success
          sample: rw
        origin:
          description:
            - V(built-in) or V(provider) for an entry of the inventory, V(operator)
              otherwise.
          type: str
          returned: success
          sample: built-in
        root:
          description:
            - The allowed root that an operator mount was found under, or V(none).
          type: str
          returned: success
          sample: /srv/projects
        reason:
          description:
            - Why it is mounted, and why it is read-only where V(rw) was asked for.
          type: str
          returned: success
          sample: the state inventory declares it
        purpose:
          description: What it is for.
          type: str
          returned: success
          sample: Working directory, persona and user skills of the agent.
    refused:
      description: The operator mounts that are left out.
      returned: success
      type: list
      elements: dict
      contains:
        component:
          description: The component that would have got it.
          type: str
          returned: success
          sample: agent
        agent:
          description: The name of the agent, or V(none).
          type: str
          returned: success
          sample: main
        source:
          description: The source that was asked for.
          type: str
          returned: success
          sample: /srv/projects/handbook
        target:
          description: The path in the container, empty if it cannot be used.
          type: str
          returned: success
          sample: /data/extra/handbook
        requested:
          description: What was asked for, V(rw) or V(ro).
          type: str
          returned: success
          sample: rw
        reason:
          description: Why it is refused.
          type: str
          returned: success
          sample: there is no allowlist at "/etc/agentkeep/mount-allowlist.json"
    warnings:
      description:
        - What an operator should know, such as allowed roots that do not exist or that
          no mount uses.
      returned: success
      type: list
      elements: str
      sample: []
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

from ..module_utils._engine.on_host import deployment_on_host
from ..module_utils._files.host_paths import HostPaths
from ..module_utils._mounts.effective import directories_of, mount_list
from ..module_utils._mounts.options import mounts_spec
from ..module_utils._reconcile import report
from ..module_utils._state.options import inventory_spec

SPEC = inventory_spec().merge(mounts_spec())


def read(params: Mapping[str, Any]) -> Mapping[str, Any]:
    """Given the options, return the mounts and the directories."""
    deployment = deployment_on_host(params).deployment
    found = mount_list(params, deployment, HostPaths())
    return {
        "mounts": [mount.for_output() for mount in found.mounts],
        "refused": [mount.for_output() for mount in found.refused],
        "warnings": list(found.warnings),
        "directories": directories_of(deployment),
    }


def main() -> None:
    """Run the module."""
    report(SPEC, "mount_info", read)


if __name__ == "__main__":
    main()
