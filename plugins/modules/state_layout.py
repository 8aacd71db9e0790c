# Copyright: (c) 2026, The Agentkeep authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Lay out the directories of a deployment."""

from __future__ import annotations

DOCUMENTATION = r"""
module: state_layout
version_added: 0.1.0
short_description: Lay out the directories of a deployment
description:
  - Makes every directory that the state inventory declares, with its owner and its
    mode, in one pass for any number of agents.
  - A declared directory whose owner or mode has drifted is put back.
  - Files, and directories that are not declared, are left alone, unless O(repair) is
    set.
  - Links are never followed. A link at the place of a declared directory is refused by
    name, even if it is put there while the module runs.
  - The deployment's directory gets a file C(layout.json) with the layout version, the
    deployment's name, an id that is chosen once, and whom the directories were made
    for. A directory of another deployment, or of a newer layout, is refused.
  - The owners on the host follow from the engine's user namespace, see
    O(uid_offset). An agent or component with another uid or gid than before, and an
    engine with another user namespace, are refused unless O(repair) is set.
  - Where O(managed) is V(false) it reports in check mode what differs, and refuses to
    change it.
author:
  - The Agentkeep authors (@agentkeep)
extends_documentation_fragment:
  - agentkeep.agents.attributes
  - agentkeep.agents.inventory
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
  idempotent:
    support: full
options:
  repair:
    description:
      - Whether everything below the entries of agents, control and the gateway that
        belongs to somebody else is given to the owner of its entry.
      - Links are changed themselves, never what they point to. A file with several
        names is refused.
      - It also gives what belongs to a uid or gid of before to the new one.
      - Entries of root and of the kind V(socket) are left out.
    type: bool
    default: false
  lock_wait_seconds:
    description: How long to wait for another run that works on the same deployment.
    type: int
    default: 60
seealso:
  - module: agentkeep.agents.mount_info
"""

EXAMPLES = r"""
- name: Lay out the memory of two agents
  agentkeep.agents.state_layout:
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
        directories: [skills, conversations]
        purpose: Working directory, persona and user skills of the agent.
    agents:
      - name: main
        uid: 20101
      - name: helper
        uid: 20102
    components:
      control:
        uid: 20001
      gateway:
        uid: 20002
  become: true
"""

RETURN = r"""
state_layout:
  description: What was laid out, or would be in check mode.
  returned: success
  type: dict
  contains:
    root:
      description: The deployment's directory.
      type: str
      returned: success
      sample: /srv/agentkeep/main
    id:
      description:
        - The id of the deployment, which its containers carry as a label.
        - It is chosen when the deployment is laid out for the first time; an empty text
          in check mode before that.
      type: str
      returned: success
      sample: 6f2b8a52d0e94d1a8d8f3e0a3f1c7b55
    layout_version:
      description: The layout version that the directory has now.
      type: int
      returned: success
      sample: 1
    counts:
      description:
        - How many directories below the data root were C(created), C(changed) or
          C(unchanged).
      type: dict
      returned: success
      sample:
        created: 8
        changed: 0
        unchanged: 4
    changes:
      description: Every change, parents first.
      type: list
      elements: dict
      returned: success
      contains:
        path:
          description: The path on the host.
          type: str
          returned: success
          sample: /srv/agentkeep/main/agents/main/memory
        entry:
          description:
            - The name of the entry, or an empty text for what lies above the entries.
          type: str
          returned: success
          sample: memory
        action:
          description:
            - V(create) a directory, V(correct) its owner or mode, V(repair) the owners
              of what lies below it, or V(write) the layout file.
          type: str
          returned: success
          sample: create
        before:
          description:
            - Owner and mode before, V(none) if there was nothing, or the number of
              foreign files to repair.
          type: dict
          returned: success
          sample:
            owner: "0:0"
            mode: "0755"
        after:
          description:
            - Owner and mode after, or what the layout file says besides the id.
          type: dict
          returned: success
          sample:
            owner: "20101:20101"
            mode: "0750"
"""

from typing import Any, Mapping

from ..module_utils._argument_spec import ArgumentSpec
from ..module_utils._engine.on_host import deployment_on_host
from ..module_utils._layout.on_disk import apply, read
from ..module_utils._reconcile import Reconciliation, run
from ..module_utils._state.layout import Layout, Order, layout_of
from ..module_utils._state.options import inventory_spec
from ..module_utils._state.plan import plan_layout

SPEC = inventory_spec().merge(
    ArgumentSpec(
        {
            "repair": {"type": "bool", "default": False},
            "lock_wait_seconds": {"type": "int", "default": 60},
        }
    )
)


def wanted(params: Mapping[str, Any]) -> Layout:
    """Given the options, return the layout that they ask for on this host."""
    found = deployment_on_host(params)
    order = Order(
        repair=params["repair"],
        lock_wait_seconds=params["lock_wait_seconds"],
        ids_known=found.ids_known,
    )
    return layout_of(found.deployment, order)


def main() -> None:
    """Run the module."""
    run(
        SPEC,
        Reconciliation(
            noun="state_layout", wanted=wanted, read=read, plan=plan_layout, apply=apply
        ),
    )


if __name__ == "__main__":
    main()
