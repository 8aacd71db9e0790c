# Copyright: (c) 2026, The Agentkeep authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Put definitions, skills and webhook settings of a deployment in place."""

from __future__ import annotations

DOCUMENTATION = r"""
module: definition
version_added: 0.1.0
short_description: Put definitions, skills and webhook settings in place
description:
  - Puts directories that run inside agents (a definition with its C(CLAUDE.md)), skills
    for all agents (with a C(SKILL.md)) and settings of webhooks where control and the
    agents of a deployment look for them.
  - These are the places that uploads over the API use too. What is not declared here
    stays, unless O(purge) is set.
  - Each thing is made beside its place and takes it by a rename. A run that was cut off
    is undone or finished by the next one.
  - It writes files and needs no running container. Control reads them at the next
    request, and an agent a definition when a conversation begins or resumes in it; the
    skills reach agents at their start or with C(POST /admin/reload-skills).
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
  definitions:
    description:
      - Definitions that run inside agents. Each needs a file C(CLAUDE.md).
    type: list
    elements: dict
    default: []
    suboptions: &files
      name:
        description:
          - The name, 1 to 64 of a-z, 0-9, dot, underscore and hyphen, that begins with
            a letter or a digit.
        type: str
        required: true
      src:
        description:
          - A directory on the controller, looked for as M(ansible.builtin.copy) does.
          - Links in it are refused, and directories of version control are left out.
        type: path
      files:
        description:
          - The files by their path, each a text or a mapping of C(base64) and
            C(executable).
          - Ignored if O(definitions[].src) is given.
        type: dict
      state:
        description: Whether it has to be there.
        type: str
        choices: [present, absent]
        default: present
  skills:
    description:
      - Skills that every agent has. Each needs a file C(SKILL.md).
    type: list
    elements: dict
    default: []
    suboptions: *files
  webhooks:
    description: Settings of webhooks.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: The sender, V(forgejo), V(github) or V(jira).
        type: str
        required: true
      settings:
        description: The settings, which are written as JSON that only control reads.
        type: dict
      state:
        description: Whether the settings have to be there.
        type: str
        choices: [present, absent]
        default: present
  entry:
    description: The entry of the inventory that holds all of it.
    type: str
    default: definitions
  purge:
    description:
      - Whether definitions, skills and webhook settings that are not declared here are
        removed, those that were uploaded over the API among them.
    type: bool
    default: false
  lock_wait_seconds:
    description: How long to wait for another run that works on the same deployment.
    type: int
    default: 60
seealso:
  - module: agentkeep.agents.state_layout
"""

EXAMPLES = r"""
- name: Give every conversation a reviewer, and all agents a skill
  agentkeep.agents.definition:
    data_root: /srv/agentkeep
    deployment: main
    inventory:
      - name: definitions
        source: definitions
        scope: deployment
        owner: control
        mode: "0755"
        mounts: [{component: control, target: /data/definitions, access: rw}]
        kind: definitions
        backup: files
    components: {control: {uid: 20001}}
    definitions:
      - name: reviewer
        files:
          CLAUDE.md: |
            You review changes. Name the line, say what is wrong, and what to do.
    skills:
      - name: house-style
        files:
          SKILL.md: |
            ---
            name: house-style
            description: How this house writes.
            ---
            Short sentences.
  become: true
"""

RETURN = r"""
definition:
  description: What was put in place, or would be in check mode.
  returned: success
  type: dict
  contains:
    changes:
      description: Every change.
      type: list
      elements: dict
      returned: success
      contains:
        kind:
          description: V(agents) for a definition, V(skills) or V(webhooks).
          type: str
          returned: success
          sample: agents
        name:
          description: The name of the directory or the file.
          type: str
          returned: success
          sample: reviewer
        action:
          description: V(created), V(changed) or V(removed).
          type: str
          returned: success
          sample: created
    counts:
      description: How many were C(created), C(changed), C(removed) or C(unchanged).
      type: dict
      returned: success
      sample: {created: 1, changed: 0, removed: 0, unchanged: 1}
    unmanaged:
      description: What is there and not declared, as C(kind/name).
      type: list
      elements: str
      returned: success
      sample: [agents/uploaded-by-hand]
    warnings:
      description: What deserves a look.
      type: list
      elements: str
      returned: success
      sample: []
"""

from typing import Any, Mapping

from ..module_utils._definitions.on_disk import apply, read
from ..module_utils._definitions.options import definition_spec, order_of
from ..module_utils._definitions.plan import plan_definitions
from ..module_utils._definitions.values import Order
from ..module_utils._engine.on_host import deployment_on_host
from ..module_utils._reconcile import Reconciliation, run


def wanted(params: Mapping[str, Any]) -> Order:
    """Given the options, return what they ask for on this host."""
    return order_of(params, deployment_on_host(params).deployment)


def main() -> None:
    """Run the module."""
    run(
        definition_spec(),
        Reconciliation(
            noun="definition",
            wanted=wanted,
            read=read,
            plan=plan_definitions,
            apply=apply,
        ),
    )


if __name__ == "__main__":
    main()
