# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Which sessions control relies on."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.agentkeep.agents.plugins.module_utils._agentd.conversations import (  # noqa: E501
    known_of,
    sessions_of,
)
from ansible_collections.agentkeep.agents.plugins.module_utils._errors import (
    ServiceRefused,
)

KEPT: dict[str, Any] = {
    "id": "conv-1",
    "agent": "main",
    "status": "idle",
    "session_id": "s-1",
    "durable": True,
}


@pytest.mark.parametrize(
    ("change", "counts"),
    [
        ({}, True),
        ({"status": "running"}, False),
        ({"session_id": None}, False),
        ({"durable": False}, False),
    ],
)
def test_a_session_that_was_once_on_disk_must_be_there(
    change: dict[str, Any], counts: bool
) -> None:
    known = known_of({"conversations": [{**KEPT, **change}]})

    assert bool(known) is counts


def test_a_control_without_the_field_keeps_what_it_lists() -> None:
    old = {name: value for name, value in KEPT.items() if name != "durable"}

    assert sessions_of(known_of({"conversations": [old]})) == {
        "main": {"s-1": "conv-1"}
    }


@pytest.mark.parametrize("body", [None, [], {"conversations": "none"}])
def test_an_answer_of_something_else_is_refused(body: Any) -> None:
    with pytest.raises(ServiceRefused, match="Cannot list the conversations"):
        known_of(body)
