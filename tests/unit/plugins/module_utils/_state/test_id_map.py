# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Ids inside a container become ids on the host, or an error."""

from __future__ import annotations

import json

import pytest
from ansible_collections.agentkeep.agents.plugins.module_utils._errors import (
    InvalidInput,
)
from ansible_collections.agentkeep.agents.plugins.module_utils._state.id_map import (
    IDENTITY,
    IdMap,
)

ROOTLESS = IdMap.from_ranges(
    uids=[(0, 1000, 1), (1, 100000, 65536)], gids=[(0, 1001, 1), (1, 200000, 65536)]
)


@pytest.mark.parametrize(
    ("id_map", "inside", "uid", "gid"),
    [
        (IDENTITY, 0, 0, 0),
        (IDENTITY, 4294967294, 4294967294, 4294967294),
        (IdMap.offset(100000), 0, 100000, 100000),
        (IdMap.offset(100000), 20101, 120101, 120101),
        (ROOTLESS, 0, 1000, 1001),
        (ROOTLESS, 1, 100000, 200000),
        (ROOTLESS, 65536, 165535, 265535),
    ],
)
def test_id_on_the_host_follows_from_the_ranges(
    id_map: IdMap, inside: int, uid: int, gid: int
) -> None:
    """A04: the host's owner is what the container's id becomes."""
    assert (id_map.host_uid(inside), id_map.host_gid(inside)) == (uid, gid)


def test_id_that_the_engine_does_not_have_is_refused() -> None:
    with pytest.raises(InvalidInput) as refusal:
        ROOTLESS.host_gid(65537)

    assert "Cannot use the gid 65537" in str(refusal.value)
    assert "only the gids 0 to 0, 1 to 65536" in str(refusal.value)
    assert "/etc/subgid" in str(refusal.value)


@pytest.mark.parametrize("id_map", [IDENTITY, ROOTLESS, IdMap.offset(5)])
def test_map_is_the_same_after_it_was_written_down(id_map: IdMap) -> None:
    assert IdMap.from_output(json.loads(json.dumps(id_map.for_output()))) == id_map


@pytest.mark.parametrize(
    "written",
    [
        None,
        {},
        {"uid": [[0, 0, 1]]},
        {"uid": [[0, 0]], "gid": []},
        {"uid": [[0, -1, 1]], "gid": []},
        {"uid": [[0, 0, 0]], "gid": []},
        {"uid": ["x"], "gid": []},
    ],
)
def test_what_is_no_map_is_none(written: object) -> None:
    assert IdMap.from_output(written) is None
