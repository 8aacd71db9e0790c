# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Files of subordinate ids are understood as an engine does."""

from __future__ import annotations

import pytest
from ansible_collections.agentkeep.agents.plugins.module_utils._state.subordinate import (  # noqa: E501
    ranges_of,
    subordinate_ranges,
)


@pytest.mark.parametrize(
    ("text", "ranges"),
    [
        ("dockremap:100000:65536\n", ((0, 100000, 65536),)),
        ("a:1:2\ndockremap:100000:70000\n", ((0, 100000, 70000),)),
        ("d:100000:10\nd:200000:5\n", ((0, 100000, 10), (10, 200000, 5))),
        ("d:1:2\n# d:100000:3\nx:y\n", ((0, 100000, 65536),)),
        ("", ((0, 100000, 65536),)),
    ],
)
def test_ranges_are_those_of_whoever_begins_at_the_offset(
    text: str, ranges: tuple[tuple[int, int, int], ...]
) -> None:
    assert subordinate_ranges(text, 100000) == ranges


def test_map_of_a_process_is_read() -> None:
    text = "         0       1000          1\n         1     100000      65536\n"

    assert ranges_of(text) == ((0, 1000, 1), (1, 100000, 65536))


@pytest.mark.parametrize("text", ["0 1\n", "a b c\n"])
def test_what_is_no_map_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        ranges_of(text)
