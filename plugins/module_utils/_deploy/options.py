# Copyright: (c) 2026, The Agentkeep authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options of every module that reads or makes containers."""

from __future__ import annotations

from .._argument_spec import ArgumentSpec
from .._containers.files import POLICIES
from .wanted import PRESENT, STATES

FILE = {
    "entry": {"type": "str", "required": True},
    "agent": {"type": "str"},
    "name": {"type": "str", "required": True},
    "content": {"type": "str", "no_log": True},
    "policy": {"type": "str", "choices": list(POLICIES), "default": "replace"},
    "length": {"type": "int", "default": 43},
    "renew": {"type": "bool", "default": False},
    "live": {"type": "bool", "default": False},
    "owner": {"type": "str"},
    "group": {"type": "str"},
    "mode": {"type": "str", "default": "0640"},
    "generated": {"type": "str"},
}
LEGACY = {
    "environment": {"type": "dict", "default": {}},
    "targets": {"type": "dict", "default": {}},
}


def containers_spec() -> ArgumentSpec:
    """Return the options that say how containers run."""
    return ArgumentSpec(
        options={
            "services": {"type": "dict", "default": {}},
            "secret_environment": {"type": "dict", "default": {}, "no_log": True},
            "files": {
                "type": "list",
                "elements": "dict",
                "default": [],
                "options": FILE,
            },
            "legacy": {"type": "dict", "default": {}, "options": LEGACY},
            "legacy_refused": {"type": "bool", "default": False},
            "engine_wait_seconds": {"type": "int", "default": 0},
        }
    )


def deployment_spec() -> ArgumentSpec:
    """Return the options that say what is done with a deployment."""
    return ArgumentSpec(
        options={
            "state": {"type": "str", "choices": list(STATES), "default": PRESENT},
            "wipe": {"type": "bool", "default": False},
            "confirm": {"type": "str", "default": ""},
            "health_wait_seconds": {"type": "int", "default": 45},
            "lock_wait_seconds": {"type": "int", "default": 60},
        }
    )
