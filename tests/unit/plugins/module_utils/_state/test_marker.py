# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""The layout file protects a deployment's directory from others."""

from __future__ import annotations

import pytest
from ansible_collections.agentkeep.agents.plugins.module_utils._errors import (
    LayoutRefused,
)
from ansible_collections.agentkeep.agents.plugins.module_utils._state.marker import (
    marker_agrees,
    marker_text,
)


def test_own_marker_agrees() -> None:
    assert marker_agrees(marker_text("demo").encode(), "/srv/demo", "demo") is True


def test_missing_marker_is_to_be_written() -> None:
    assert marker_agrees(None, "/srv/demo", "demo") is False


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
        marker_agrees(content, "/srv/demo", "demo")

    assert "/srv/demo" in str(refusal.value)
    assert says in str(refusal.value)
