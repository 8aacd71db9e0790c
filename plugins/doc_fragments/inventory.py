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
        for one in all), an C(owner) (V(agent), V(root), the name of a component or
        C("uid:gid")), a C(mode) in quotes, a C(kind) and a C(backup).
      - It lies at exactly one of C(source) (a path, see O(places)), C(volume) (a volume
        of the engine) and C(within) (the directory named after the agent inside the
        entry of that name).
      - It may have a C(group) (default is the owner's), C(mounts) (each with
        C(component), C(target) and C(access)), C(directories) (paths below it that are
        laid out with the same owner and mode) and a C(purpose).
      - C(optional) is V(false), V(true) (used if O(include_optional) names it) or
        V(when_present) (used if its source exists, and never made).
      - C(form) is V(directory) or V(file) (a single file, mounted read-only and never
        made), and C(origin) is V(built-in) or V(provider).
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
        description:
          - The user id of its container, different from all others where O(managed) is
            true.
        type: int
        required: true
      gid:
        description:
          - The group id of its container, different from all others where O(managed)
            is true; its O(agents[].uid) if left out.
        type: int
      enabled:
        description:
          - Whether it has a container.
          - Its directories stay as they are declared either way.
        type: bool
        default: true
      lazy:
        description:
          - Whether its container is made but started by somebody else when it is
            needed.
        type: bool
        default: false
      names:
        description:
          - The values of the placeholders in O(places) and in the sources of entries
            that the agent's own system knows it by, such as C(group) or C(folder).
          - Each value is one part of a path.
        type: dict
        default: {}
      service:
        description:
          - What its container has that the containers of other agents have not, with
            the keys of the service C(agent).
        type: dict
        default: {}
  components:
    description:
      - The identities of the containers that serve all agents, each by its name with
        C(uid) and C(gid); the gid is the uid if left out.
      - Every component that the inventory names as owner or in a mount must be here.
    type: dict
    default: {}
  places:
    description:
      - Where entries lie, as templates with the placeholders C({deployment}),
        C({agent}), C({source}) or C({volume}), and the keys of O(agents[].names).
    type: dict
    suboptions:
      agent:
        description:
          - The path of an entry that each agent has its own of, below O(data_root).
          - It is C({deployment}/agents/{agent}/{source}) if left out.
        type: str
      deployment:
        description:
          - The path of an entry that all agents share, below O(data_root).
          - It is C({deployment}/shared/{source}) if left out.
        type: str
      agent_volume:
        description:
          - The engine's name of a volume that each agent has its own of.
          - It is C(agentkeep-{deployment}-{agent}-{volume}) if left out.
        type: str
      deployment_volume:
        description:
          - The engine's name of a volume that all agents share.
          - It is C(agentkeep-{deployment}-{volume}) if left out.
        type: str
  managed:
    description:
      - Whether containers and directories are made by this collection.
      - If V(false), another program makes them. They are looked at and never changed,
        and an entry in the directory of another that is not safe there is reported
        instead of refused.
    type: bool
    default: true
  uid_offset:
    description:
      - What the engine adds to the ids inside a container to get the ids on the host,
        with user namespaces or a rootless engine.
      - If left out it is found from the engine, or from what C(layout.json) has of an
        earlier run where no engine answers.
      - Directories of root keep root as their owner.
    type: int
  engine_socket:
    description: The engine's socket, which is asked for its user namespace only.
    type: path
    default: /var/run/docker.sock
  adjustments:
    description:
      - What differs from the inventory, by the name of the entry.
      - Each may have a C(mode), an C(access) (V(ro) or V(rw), for all of its mounts)
        and a C(backup).
    type: dict
    default: {}
  include_optional:
    description: The names of the optional entries that are in use.
    type: list
    elements: str
    default: []
"""
