# Copyright: (c) 2026, The Agentkeep authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options of what is asked about sessions."""

from __future__ import annotations


class ModuleDocFragment:
    """Hold the options of a module that looks at sessions.

    It stands before the fragment connection, one option of which it makes optional.
    """

    DOCUMENTATION = r"""
options:
  url:
    description:
      - Where control listens, as seen from the host that the module runs on.
      - Without it only transcripts are judged.
    type: str
    required: false
  services:
    description:
      - How the containers of each component run, as of M(agentkeep.agents.deployment).
      - Those with a C(config_directory) have a CLI. With a C(working_directory) it is
        also known which of several copies of a transcript the CLI takes.
    type: dict
    required: true
  agent:
    description: The agent whose sessions are looked at; those of all without it.
    type: str
  most_transcripts:
    description:
      - How many transcripts of one container are judged, the last changed first.
    type: int
    default: 10000
  scan_timeout_seconds:
    description: How long the transcripts of one container may take.
    type: int
    default: 120
"""
