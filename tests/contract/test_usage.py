# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Collection and service count alike: what root finds is what an honest agent tells."""

from __future__ import annotations

import os
from pathlib import Path

from ansible_collections.agentkeep.agents.plugins.module_utils._files import census
from ansible_collections.agentkeep.agents.plugins.module_utils._usage import limits

from agentd.samples import values
from agentd.usage import walk
from usage_trees import grow


def test_both_count_the_same_in_the_same_tree(tmp_path: Path) -> None:
    """I17."""
    tree = tmp_path / "tree"
    grow(tree, tmp_path / "outside")
    parts = {f"{tree}/d2": "part", f"{tree}/d3/e3": "other"}
    theirs = census.Census({str(tree): "all", **parts}, 60)
    ours = walk.Walk(parts, walk.Bounds(60))

    descriptor = os.open(tree, os.O_RDONLY | os.O_DIRECTORY)
    theirs.add(descriptor, str(tree))
    os.close(descriptor)
    ours.add(str(tree), "all")

    assert {name: (one.bytes, one.files) for name, one in theirs.tallies.items()} == {
        name: (one.bytes, one.files) for name, one in ours.amounts.items()
    }


def test_both_have_the_same_bounds_and_words() -> None:
    assert (census.DEEPEST, census.MOST_LINKED) == (walk.DEEPEST, walk.MOST_LINKED)
    for count in (0, 999, 1000, 999_600, 12_345_678, 2**62):
        assert limits.readable(count) == values.readable(count)
