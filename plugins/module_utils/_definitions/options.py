# Copyright: (c) 2026, The Agentkeep authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options of the module definition, and what they ask for."""

from __future__ import annotations

from typing import Any, Mapping

from .._argument_spec import ArgumentSpec
from .._errors import InvalidInput
from .._state.deployment import Deployment
from .._state.options import inventory_spec
from .declared import items_of
from .values import Order

STATE = {"type": "str", "choices": ["present", "absent"], "default": "present"}
FILES = {
    "name": {"type": "str", "required": True},
    "src": {"type": "path"},
    "files": {"type": "dict"},
    "state": STATE,
}
WEBHOOK = {
    "name": {"type": "str", "required": True},
    "settings": {"type": "dict"},
    "state": STATE,
}


def definition_spec() -> ArgumentSpec:
    """Return the options of the module."""
    return inventory_spec().merge(
        ArgumentSpec(
            {
                "definitions": _list(FILES),
                "skills": _list(FILES),
                "webhooks": _list(WEBHOOK),
                "entry": {"type": "str", "default": "definitions"},
                "purge": {"type": "bool", "default": False},
                "lock_wait_seconds": {"type": "int", "default": 60},
            }
        )
    )


def order_of(params: Mapping[str, Any], deployment: Deployment) -> Order:
    """Given the options and the deployment on its host, return what is asked for."""
    entry = deployment.inventory.entry(params["entry"])
    if entry is None or entry.scope != "deployment" or entry.source is None:
        raise InvalidInput(
            f'Cannot put definitions into the entry "{params["entry"]}"',
            "the inventory has no directory of that name for the whole deployment",
            "Name the entry that agents and control mount as definitions.",
        )
    ((_agent, root),) = deployment.located(entry)
    return Order(
        data_root=deployment.data_root,
        deployment=deployment.name,
        root=root,
        owner=deployment.ids(entry, None),
        items=items_of(params),
        purge=params["purge"],
        lock_wait_seconds=params["lock_wait_seconds"],
    )


def _list(options: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": dict(options),
    }
