# Copyright: (c) 2026, The Agentkeep authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options of every module that works from a state inventory."""

from __future__ import annotations

from .._argument_spec import ArgumentSpec

DEFAULT_SOCKET = "/var/run/docker.sock"

AGENT = {
    "name": {"type": "str", "required": True},
    "uid": {"type": "int", "required": True},
    "gid": {"type": "int"},
    "enabled": {"type": "bool", "default": True},
    "lazy": {"type": "bool", "default": False},
    "names": {"type": "dict", "default": {}},
    "service": {"type": "dict", "default": {}},
}
PLACES = {
    "agent": {"type": "str"},
    "deployment": {"type": "str"},
    "agent_volume": {"type": "str"},
    "deployment_volume": {"type": "str"},
}


def inventory_spec() -> ArgumentSpec:
    """Return the options that place a state inventory on a host."""
    return ArgumentSpec(
        options={
            "data_root": {"type": "path", "required": True},
            "deployment": {"type": "str", "required": True},
            "inventory": {"type": "list", "elements": "dict", "required": True},
            "agents": {
                "type": "list",
                "elements": "dict",
                "default": [],
                "options": AGENT,
            },
            "components": {"type": "dict", "default": {}},
            "places": {"type": "dict", "options": PLACES},
            "managed": {"type": "bool", "default": True},
            "uid_offset": {"type": "int"},
            "engine_socket": {"type": "path", "default": DEFAULT_SOCKET},
            "adjustments": {"type": "dict", "default": {}},
            "include_optional": {"type": "list", "elements": "str", "default": []},
        }
    )
