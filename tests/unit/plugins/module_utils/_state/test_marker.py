# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""The layout file protects a deployment's directory from others."""

from __future__ import annotations

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

OWN = Marker(
    deployment="demo",
    id="0123456789abcdef" * 2,
    id_map=IdMap.offset(100000),
    agents={"main": Identity(uid=5, gid=6)},
    components={"control": Identity(uid=7, gid=7)},
)


def read(content: bytes | None) -> Marker | None:
    """Return the marker that the content is for demo."""
    return Marker.from_content(content, "/srv/demo", "demo")


def test_own_marker_is_the_same_after_it_was_written_down() -> None:
    assert read(OWN.content()) == OWN


def test_missing_marker_is_to_be_written() -> None:
    assert read(None) is None


def test_marker_of_the_first_version_has_no_id() -> None:
    found = read(b'{"layout_version": 1, "deployment": "demo"}')

    assert found == Marker(deployment="demo")


@pytest.mark.parametrize(
    "content",
    [
        b'{"layout_version": 1, "deployment": "demo", "id": "../x", "owners": []}',
        b'{"layout_version": 1, "deployment": "demo", "id": 1, "id_map": "x"}',
        b'{"layout_version": 1, "deployment": "demo", "owners": {"agents": {"a": 0}}}',
    ],
)
def test_what_a_marker_should_not_hold_is_left_out(content: bytes) -> None:
    assert read(content) == Marker(deployment="demo")


def test_id_is_kept_and_agents_that_are_gone_are_remembered() -> None:
    wanted = Marker(
        deployment="demo", id="f" * 32, agents={"mail": Identity(uid=8, gid=8)}
    )

    written = wanted.following(OWN)

    assert written.id == OWN.id
    assert written.id_map == OWN.id_map
    assert set(written.agents) == {"main", "mail"}
    assert wanted.following(None) == wanted


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b'{"layout_version": 2, "deployment": "demo"}', "has the layout version 2"),
        (b'{"layout_version": 1, "deployment": "x"}', "belongs to deployment 'x'"),
        (b'{"layout_version": true, "deployment": "demo"}', "layout_version is True"),
        (b'{"layout_version": 0, "deployment": "demo"}', "layout_version is 0"),
        (b'{"deployment": "demo"}', "layout_version is None"),
        (b"[]", "it is not a JSON object"),
        (b"", "Expecting value"),
        (b"\xff", "can't decode"),
    ],
)
def test_other_marker_is_refused(content: bytes, says: str) -> None:
    with pytest.raises(LayoutRefused) as refusal:
        read(content)

    assert "/srv/demo" in str(refusal.value)
    assert says in str(refusal.value)
