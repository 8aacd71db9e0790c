# Copyright: (c) 2026, The Agentkeep authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Compare the containers of a deployment with what is declared."""

from __future__ import annotations

DOCUMENTATION = r"""
module: deployment_info
version_added: 0.1.0
short_description: Compare the containers of a deployment with what is declared
description:
  - Reads and compares as M(agentkeep.agents.deployment) does, and changes nothing.
  - With O(managed=false) it reads containers that another program makes; they are found
    by C(find) of their service, and only what is declared of them is compared.
  - Without O(files) and O(secret_environment), files and secrets are not compared.
author:
  - The Agentkeep authors (@agentkeep)
requirements:
  - The Docker SDK for Python (python3-docker) 5.0.3 or newer
extends_documentation_fragment:
  - agentkeep.agents.attributes
  - agentkeep.agents.attributes.info_module
  - agentkeep.agents.inventory
  - agentkeep.agents.mounts
  - agentkeep.agents.containers
seealso:
  - module: agentkeep.agents.deployment
"""

EXAMPLES = r"""
- name: Compare the containers that another program made
  agentkeep.agents.deployment_info:
    data_root: /srv/other
    deployment: other
    managed: false
    inventory:
      - name: workspace
        scope: agent
        source: groups/main
        owner: agent
        mode: "0755"
        mounts:
          - component: agent
            target: /workspace/agent
            access: rw
        kind: workspace
        backup: files
    agents:
      - name: main
        uid: 1000
    services:
      agent:
        find:
          labels:
            group: "{agent}"
  become: true
  register: found

- name: Show how they differ
  ansible.builtin.debug:
    msg: "{{ found.deployment_info.containers | selectattr('drifted') }}"
"""

RETURN = r"""
deployment_info:
  description: What runs, compared with what is declared.
  returned: success
  type: dict
  contains:
    root:
      description: The deployment's directory.
      type: str
      returned: success
      sample: /srv/agentkeep/main
    id:
      description: The deployment's id, or none if it is not laid out.
      type: str
      returned: success
      sample: 3f2a9c0b6d1e4f7a8b5c2d9e0f1a3b4c
    release:
      description: The release that was deployed last, or none.
      type: str
      returned: success
      sample: 6b1f0c9a2d3e
    releases:
      description: The releases that are kept, the current one first.
      type: list
      elements: str
      returned: success
      sample: [6b1f0c9a2d3e, 0d9c8b7a6f5e]
    drifted:
      description: The services that differ, are stopped or are missing.
      type: list
      elements: str
      returned: success
      sample: [agent-main]
    interrupted:
      description: Whether a run of M(agentkeep.agents.deployment) did not end.
      type: bool
      returned: success
      sample: false
    containers:
      description:
        - Every container, declared or found, as M(agentkeep.agents.deployment) returns
          it; C(action) is what that module would do.
      type: list
      elements: dict
      returned: success
    files:
      description: Every declared file and what would be done with it.
      type: list
      elements: dict
      returned: success
    warnings:
      description: What the operator should know.
      type: list
      elements: str
      returned: success
      sample: []
"""

from ..module_utils._deploy.options import containers_spec
from ..module_utils._mounts.options import mounts_spec
from ..module_utils._reconcile import report
from ..module_utils._release.reconcile import information
from ..module_utils._state.options import inventory_spec

SPEC = inventory_spec().merge(mounts_spec()).merge(containers_spec())


def main() -> None:
    """Run the module."""
    report(SPEC, "deployment_info", information)


if __name__ == "__main__":
    main()
