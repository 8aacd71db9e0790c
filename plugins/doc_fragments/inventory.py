# Copyright: (c) 2026, The Agentkeep authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options that place a state inventory on a host."""

from __future__ import annotations


class ModuleDocFragment:
    """Hold the options that state modules share."""

    DOCUMENTATION = r"""
options:
  data_root:
    description:
      - The directory on the host below which every deployment has its own directory.
      - It must be absolute, and must not be a link or lead through a link that others
        than root could change.
    type: path
    required: true
  deployment:
    description:
      - The name of the deployment, and of its directory below O(data_root).
      - It consists of 1 to 32 lower-case letters, digits and hyphens.
    type: str
    required: true
  inventory:
    description:
      - The state inventory, the list of everything that must survive.
      - Every entry has a C(name), a C(scope) (V(agent) for one per agent, V(deployment)
        for one in all), an C(owner) (V(agent), V(control), V(gateway), V(root) or
        C("uid:gid")), a C(mode) in quotes, a C(kind) and a C(backup).
      - It lies at exactly one of C(source) (a directory below the scope's own),
        C(volume) (a volume of the engine) and C(within) (the directory named after the
        agent inside the entry of that name).
      - It may have a C(group) (default is the owner's), C(mounts) (each with
        C(component), C(target) and C(access)), C(optional), C(directories) (paths below
        it that are laid out with the same owner and mode) and a C(purpose).
      - The choices of C(kind) are V(workspace), V(transcripts), V(database), V(queue),
        V(credentials), V(definitions), V(skill_data), V(workdirs), V(config),
        V(socket), V(cache) and V(logs).
      - The choices of C(backup) are V(files), V(sqlite), V(redis), V(postgres) and
        V(none).
    type: list
    elements: dict
    required: true
  agents:
    description: The agents of the deployment.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description:
          - The agent's name, of 1 to 32 lower-case letters, digits and hyphens.
        type: str
        required: true
      uid:
        description: The user id of its container, different from all others.
        type: int
        required: true
      gid:
        description:
          - The group id of its container, different from all others; its
            O(agents[].uid) if left out.
        type: int
  components:
    description: The identities of the containers that serve all agents.
    type: dict
    required: true
    suboptions:
      control:
        description: The identity of control.
        type: dict
        required: true
        suboptions:
          uid:
            description: The user id of its container.
            type: int
            required: true
          gid:
            description:
              - The group id of its container; its O(components.control.uid) if left
                out.
            type: int
      gateway:
        description: The identity of the gateway.
        type: dict
        required: true
        suboptions:
          uid:
            description: The user id of its container.
            type: int
            required: true
          gid:
            description:
              - The group id of its container; its O(components.gateway.uid) if left
                out.
            type: int
  uid_offset:
    description:
      - What the engine adds to the ids inside a container to get the ids on the host,
        with user namespaces or a rootless engine.
      - Directories of root keep root as their owner.
    type: int
    default: 0
  include_optional:
    description: The names of the optional entries that are in use.
    type: list
    elements: str
    default: []
"""
