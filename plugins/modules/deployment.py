# Copyright: (c) 2026, The Agentkeep authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Keep the containers of a deployment as they are declared."""

from __future__ import annotations

DOCUMENTATION = r"""
module: deployment
version_added: 0.1.0
short_description: Keep the containers of a deployment as they are declared
description:
  - Compares what runs with what the inventory, the mounts, the services and the files
    declare, and says for each container whether it is created, started, recreated,
    removed or unchanged, and why.
  - Compared are the image by its id, mounts in both directions, declared environment,
    user, restart policy, ports, labels, command, networks, health check and limits;
    and what compose cannot see, a directory that was replaced, removed, given to
    somebody else, or is not the one that the container holds open.
  - A container that is right but stopped is started. A container of our name that is
    not this deployment's is refused and never touched.
  - Before anything is taken back, running work may end, for as long as
    C(stop_grace_seconds) of its service. Containers are replaced through C(docker
    compose), those that others need first; then the mounts that are really there are
    checked, and health is awaited.
  - If the new containers fail, the previous release is put back, with its images,
    compose file, files and secrets, and with its SQLite databases if their schema moved
    meanwhile. The failed databases are kept beside them.
  - A run that was interrupted is finished, or undone, by the next one.
author:
  - The Agentkeep authors (@agentkeep)
requirements:
  - The Docker SDK for Python (python3-docker) 5.0.3 or newer
  - docker compose 2.26 or newer
extends_documentation_fragment:
  - agentkeep.agents.attributes
  - agentkeep.agents.inventory
  - agentkeep.agents.mounts
  - agentkeep.agents.containers
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
  idempotent:
    support: full
options:
  state:
    description:
      - V(present) makes the containers what is declared.
      - V(absent) removes containers, networks and generated files. Data stays, and so
        do files with the policies V(keep) and V(generate).
      - V(previous) puts back the release before the current one.
    type: str
    choices: [present, absent, previous]
    default: present
  wipe:
    description:
      - Whether O(state=absent) also removes all data of the deployment, its volumes and
        its directories. It cannot be undone.
    type: bool
    default: false
  confirm:
    description: The name of the deployment, typed again; demanded by O(wipe).
    type: str
    default: ""
  health_wait_seconds:
    description: How long to wait for started containers to be healthy.
    type: int
    default: 45
  lock_wait_seconds:
    description: How long to wait for another run that works on the same deployment.
    type: int
    default: 60
seealso:
  - module: agentkeep.agents.deployment_info
  - module: agentkeep.agents.state_layout
  - module: agentkeep.agents.mount_info
"""

EXAMPLES = r"""
- name: Keep control running
  agentkeep.agents.deployment: &deployment
    data_root: /srv/agentkeep
    deployment: main
    inventory:
      - name: settings
        scope: deployment
        source: settings
        owner: root
        group: control
        mode: "0750"
        mounts:
          - component: control
            target: /etc/agentd
            access: ro
        kind: config
        backup: files
        purpose: Settings file of control and the token of its API.
    components:
      control:
        uid: 20001
    services:
      control:
        image: agentkeep/agentd:0.1.0
        command: [serve]
        networks: [control]
        ports:
          - host: 127.0.0.1
            published: 8700
            target: 8080
        health:
          command: [agentd, health]
          start_period_seconds: 45
    files:
      - entry: settings
        name: settings.json
        content: '{"component": "control"}'
      - entry: settings
        name: api_token
        policy: generate
        owner: control
        mode: "0600"
  become: true

- name: Put the previous release back
  agentkeep.agents.deployment:
    <<: *deployment
    state: previous
  become: true
"""

RETURN = r"""
deployment:
  description: What was done, or would be in check mode.
  returned: success
  type: dict
  contains:
    root:
      description: The deployment's directory.
      type: str
      returned: success
    id:
      description: The deployment's id, which its containers carry as a label.
      type: str
      returned: success
    release:
      description: The release that runs after this, or none.
      type: str
      returned: success
    created:
      description: The services whose containers were missing.
      type: list
      elements: str
      returned: success
    started:
      description: The services whose containers were right but stopped.
      type: list
      elements: str
      returned: success
    recreated:
      description: The services whose containers differed.
      type: list
      elements: str
      returned: success
    removed:
      description: The services that are not declared any more.
      type: list
      elements: str
      returned: success
    unchanged:
      description: The services whose containers are as declared.
      type: list
      elements: str
      returned: success
    drained:
      description:
        - Unchanged services that were stopped first and started again, so that work
          which came in through them could end.
      type: list
      elements: str
      returned: success
    containers:
      description: Every container.
      type: list
      elements: dict
      returned: success
      contains:
        name:
          description: Its full name.
          type: str
          returned: success
        service:
          description: The name of its service, such as C(agent-main).
          type: str
          returned: success
        component:
          description: Its component.
          type: str
          returned: success
        agent:
          description: The name of the agent, or none.
          type: str
          returned: success
        action:
          description:
            - One of V(created), V(started), V(recreated), V(removed), V(unchanged).
          type: str
          returned: success
        reasons:
          description:
            - How it differed, by C(field), C(subject), C(kind), C(old) and C(new);
              secrets are masked.
          type: list
          elements: dict
          returned: success
        drifted:
          description: Whether it differed from what is declared.
          type: bool
          returned: success
        state:
          description: What the engine says of it now, V(missing) if there is none.
          type: str
          returned: success
        health:
          description: The engine's word on its health, or none.
          type: str
          returned: success
        mounts:
          description: Its mounts as M(agentkeep.agents.mount_info) lists them.
          type: list
          elements: dict
          returned: success
    files:
      description:
        - Every declared file, by C(entry), C(agent) and C(name), with its C(action),
          which is V(created), V(changed), V(removed) or V(unchanged).
      type: list
      elements: dict
      returned: success
    wiped:
      description:
        - With O(wipe=true), the C(volumes) and C(directories) that were removed.
      type: dict
      returned: success
    restored:
      description: The C(release) that O(state=previous) put back, and C(why), or none.
      type: dict
      returned: success
    warnings:
      description: What the operator should know.
      type: list
      elements: str
      returned: success
"""

from ..module_utils._deploy.options import containers_spec, deployment_spec
from ..module_utils._mounts.options import mounts_spec
from ..module_utils._reconcile import Reconciliation, run
from ..module_utils._release.reconcile import apply, plan, read, wanted
from ..module_utils._state.options import inventory_spec

SPEC = (
    inventory_spec()
    .merge(mounts_spec())
    .merge(containers_spec())
    .merge(deployment_spec())
)


def main() -> None:
    """Run the module."""
    run(
        SPEC,
        Reconciliation(
            noun="deployment",
            wanted=wanted,
            read=read,
            plan=plan,
            apply=apply,
            settles=False,
        ),
    )


if __name__ == "__main__":
    main()
