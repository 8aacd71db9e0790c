# Copyright: (c) 2026, The Agentkeep authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options about an operator's mounts."""

from __future__ import annotations

from .._argument_spec import ArgumentSpec
from .request import ACCESS, DEFAULT_ALLOWLIST, DEFAULT_PREFIX


def mounts_spec() -> ArgumentSpec:
    """Return the options about an operator's mounts."""
    return ArgumentSpec(
        options={
            "operator_mounts": {
                "type": "list",
                "elements": "dict",
                "default": [],
                "options": {
                    "component": {"type": "str", "default": "agent"},
                    "agent": {"type": "str"},
                    "name": {"type": "str"},
                    "source": {"type": "str", "required": True},
                    "target": {"type": "str"},
                    "access": {"type": "str", "choices": list(ACCESS), "default": "ro"},
                    "purpose": {"type": "str", "default": ""},
                },
            },
            "operator_prefix": {"type": "str", "default": DEFAULT_PREFIX},
            "operator_mounts_refused": {
                "type": "str",
                "choices": ["fail", "skip"],
                "default": "fail",
            },
            "allow_sensitive_mounts": {"type": "bool", "default": False},
            "allowlist_file": {"type": "str", "default": DEFAULT_ALLOWLIST},
        }
    )
