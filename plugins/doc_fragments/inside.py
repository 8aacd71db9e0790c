# Copyright: (c) 2026, The Agentkeep authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options of the probe from inside the containers."""

from __future__ import annotations


class ModuleDocFragment:
    """Hold the options of a module that also probes from inside.

    It stands before the fragments connection and inventory, some of whose options it
    makes optional.
    """

    DOCUMENTATION = r"""
options:
  url:
    description:
      - Where control listens, as seen from the host that the module runs on.
      - Without it nothing is asked of the service; O(inside) must be set.
    type: str
    required: false
  inside:
    description:
      - Whether to probe inside the containers, on the host of the engine and as root.
      - It needs O(data_root), O(deployment), O(inventory) and O(services).
      - In each container a child of this module enters the container's mounts and
        becomes its user, with no capability but the container's. Nothing in the image
        is run.
      - In every directory that is mounted for writing it creates, writes, makes
        durable, renames and removes a file, and so in the working directory if it lies
        below one. Directories of root in which a container has only directories of its
        own are not written themselves.
      - Below the C(config_directory) of O(services) it demands that C(projects) is
        there or can be made and has room for a turn, that every project (the 1000 last
        changed) takes a new file, and that every transcript (the 2000 last changed) can
        be appended to and is not empty. It also demands that the process's C(TMPDIR)
        (C(/tmp) if it has none) takes a file.
      - With O(url) it also demands the transcript of every idle conversation of which
        a turn was once found on disk, however old it is.
      - The root of a container with user namespaces is taken to have no capability.
      - What a mandatory access control of the host (AppArmor, SELinux) refuses to the
        container alone is not found; a O(turn) finds it.
    type: bool
    default: false
  faults:
    description:
      - What faults inside the containers lead to.
      - V(fail) makes the module fail with all of them, V(report) returns them.
      - V(warn_of_lost) fails too, except with transcripts that are gone or empty. These
        are warnings, since an agent can delete its own, and no run brings them back.
    type: str
    choices: [fail, warn_of_lost, report]
    default: fail
  probe_timeout_seconds:
    description:
      - How long the probe of one container may take; one that takes longer is a fault.
    type: int
    default: 30
  data_root:
    description:
      - The directory on the host below which every deployment has its own directory.
    type: path
    required: false
  deployment:
    description: The name of the deployment, and of its directory below O(data_root).
    type: str
    required: false
  inventory:
    description: The state inventory, as of M(agentkeep.agents.state_layout).
    type: list
    required: false
    elements: dict
  services:
    description:
      - How the containers of each component run, as of M(agentkeep.agents.deployment).
      - Containers of components that are not in it are not probed.
    type: dict
"""
