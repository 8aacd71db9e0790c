# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""New owners of directories are a decision, and never an accident."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.agentkeep.agents.plugins.module_utils._errors import (
    LayoutRefused,
)
from ansible_collections.agentkeep.agents.plugins.module_utils._state.id_map import (
    IdMap,
)
from ansible_collections.agentkeep.agents.plugins.module_utils._state.identity import (
    Identity,
)
from ansible_collections.agentkeep.agents.plugins.module_utils._state.marker import (
    Marker,
)
from ansible_collections.agentkeep.agents.plugins.module_utils._state.succession import (  # noqa: E501
    demand_same_owners,
    stale_groups,
)

EARLIER = Marker(
    deployment="demo",
    id_map=IdMap.offset(0),
    agents={"main": Identity(uid=5, gid=5), "gone": Identity(uid=9, gid=9)},
    components={"control": Identity(uid=7, gid=7)},
)
WANTED = replace(EARLIER, agents={"main": Identity(uid=5, gid=5)})


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (
            {"agents": {"main": Identity(uid=6, gid=5)}},
            'agent "main" had 5:5 and is to have 6:5',
        ),
        (
            {"components": {"control": Identity(uid=7, gid=8)}},
            '"control" had 7:7 and is to have 7:8',
        ),
        ({"id_map": IdMap.offset(100000)}, "[[0, 100000, 4294867295]]"),
        (
            {"agents": {f"a{n}": Identity(uid=n, gid=n) for n in range(20, 25)}},
            "and 2 more",
        ),
    ],
)
def test_other_owners_are_refused_with_both(change: dict[str, Any], says: str) -> None:
    """Q07: changing a uid re-owns by option, or is refused."""
    earlier = replace(
        EARLIER,
        agents={
            **EARLIER.agents,
            **{f"a{n}": Identity(uid=1, gid=1) for n in range(20, 25)},
        },
    )

    with pytest.raises(LayoutRefused) as refusal:
        demand_same_owners(earlier, replace(WANTED, **change), "/srv/demo")

    assert says in str(refusal.value)
    assert "Set repair to true once" in str(refusal.value)


@pytest.mark.parametrize(
    "earlier", [None, Marker(deployment="demo"), EARLIER, replace(EARLIER, id_map=None)]
)
def test_same_and_new_owners_are_taken(earlier: Marker | None) -> None:
    demand_same_owners(earlier, WANTED, "/srv/demo")


def test_groups_that_stand_for_nobody_now_are_stale() -> None:
    """Q07: files keep no group of an owner before."""
    moved = replace(WANTED, id_map=IdMap.offset(100))

    assert stale_groups(EARLIER, moved) == {5, 7, 9}
    assert stale_groups(EARLIER, WANTED) == {9}
    assert stale_groups(None, WANTED) == frozenset()
