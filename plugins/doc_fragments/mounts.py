# Copyright: (c) 2026, The Agentkeep authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options about an operator's mounts."""

from __future__ import annotations


class ModuleDocFragment:
    """Hold the options of every module that works from the effective mounts."""

    DOCUMENTATION = r"""
options:
  operator_mounts:
    description:
      - Directories of the host that containers get besides those of O(inventory).
      - Each must be allowed by O(allowlist_file). None is mounted because it is
        allowed, and none is allowed because it is listed here.
    type: list
    elements: dict
    default: []
    suboptions:
      component:
        description: The component that gets it.
        type: str
        default: agent
      agent:
        description: The one agent that gets it; all agents if left out.
        type: str
      name:
        description: What it is called in reports; the last part of its source if left
          out.
        type: str
      source:
        description:
          - The directory on the host, an absolute path. It must exist.
          - Links are followed on the host first, and the rules look at where they lead.
        type: str
        required: true
      target:
        description:
          - The path in the container, below O(operator_prefix); the last part of its
            source if left out.
        type: str
      access:
        description:
          - Whether the container may write. It takes effect as V(rw) only if the
            allowed root allows writing too, otherwise as V(ro).
        type: str
        choices: [ro, rw]
        default: ro
      purpose:
        description: What it is for.
        type: str
        default: ""
  operator_prefix:
    description: The directory in containers below which operator mounts appear.
    type: str
    default: /data/extra
  operator_mounts_refused:
    description:
      - Whether a refused operator mount ends the run (V(fail)), or is left out with a
        warning (V(skip)).
    type: str
    choices: [fail, skip]
    default: fail
  allow_sensitive_mounts:
    description:
      - Whether operator mounts may reach the login of a person of this host
        (C(~/.claude)) or the socket of the engine.
      - Whoever controls a container with one of these acts as that person, or as root.
    type: bool
    default: false
  allowlist_file:
    description:
      - The file on the host that says which directories may be mounted, as JSON with
        C(allowed_roots), a list of C(path), C(allow_read_write) (default V(false)) and
        C(description), and C(blocked_patterns), a list of names that are refused
        anywhere in a path, besides those that always are.
      - It is read anew at each run. It must belong to root, nobody else may write to it
        or to a directory on the way to it, and no mount may hold it.
    type: str
    default: /etc/agentkeep/mount-allowlist.json
"""
