# Copyright: (c) 2026, The Agentkeep authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options that reach the agent service over HTTP."""

from __future__ import annotations


class ModuleDocFragment:
    """Hold the options of every module that talks to the agent service."""

    DOCUMENTATION = r"""
options:
  url:
    description: Where control listens, as seen from the host that the module runs on.
    type: str
    required: true
  api_token:
    description:
      - The bearer token of the API.
      - Leave it empty only if the service runs without one, or with
        O(api_token_file).
    type: str
    default: ""
  api_token_file:
    description:
      - The file with the bearer token of the API, on the host that the module runs on.
      - The token is read there and never passes through the play. It excludes
        O(api_token).
    type: path
  validate_certs:
    description: Whether the certificate of an C(https) address is checked.
    type: bool
    default: true
  use_proxy:
    description: Whether the proxies of the environment are used.
    type: bool
    default: false
  timeout_seconds:
    description: How long one request may take; a turn takes one request.
    type: int
    default: 330
"""
