# Copyright: (c) 2026, The Agentkeep authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options of every module that works from a state inventory."""

from __future__ import annotations

from .._argument_spec import ArgumentSpec

IDENTITY = {"uid": {"type": "int", "required": True}, "gid": {"type": "int"}}


def inventory_spec() -> ArgumentSpec:
    """Return the options that place a state inventory on a host."""
    component = {"type": "dict", "required": True, "options": IDENTITY}
    name = {"type": "str", "required": True}
    return ArgumentSpec(
        options={
            "data_root": {"type": "path", "required": True},
            "deployment": {"type": "str", "required": True},
            "inventory": {"type": "list", "elements": "dict", "required": True},
            "agents": {
                "type": "list",
                "elements": "dict",
                "default": [],
                "options": {"name": name, **IDENTITY},
            },
            "components": {
                "type": "dict",
                "required": True,
                "options": {"control": component, "gateway": component},
            },
            "uid_offset": {"type": "int", "default": 0},
            "include_optional": {"type": "list", "elements": "str", "default": []},
        }
    )
