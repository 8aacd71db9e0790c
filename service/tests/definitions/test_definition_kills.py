# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Uploads, changes and removals that SIGKILL ends at any of their steps."""

from __future__ import annotations

import os
import random
import signal
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any

from skills.world import in_a_child

from agentd.definitions.resolve import BUILT_IN, UPLOADED, Tiers
from agentd.definitions.store import Store
from agentd.definitions.values import AGENTS
from agentd.errors import DefinitionExists, DefinitionUnknown

from .test_definition_store import LIMITS, files, tiers

__all__ = ["tiers"]


def dying_after(steps: int, act: Callable[[], object]) -> Callable[[], None]:
    """Return the act, which SIGKILL ends at one of its steps on the disk."""
    fsync, left = os.fsync, iter(range(steps))

    def dying(fd: Any) -> None:
        if next(left, None) is None:
            os.kill(os.getpid(), signal.SIGKILL)
        fsync(fd)

    def run() -> None:
        os.fsync = dying
        act()

    return run


def demand_whole(store: Store, tiers: Tiers) -> None:
    """Demand that each that is there is whole, and that nothing is left beside."""
    for entry in store.list():
        texts = {
            store.content(entry.name, file.path)[2].data
            for file in entry.files
            if file.path != "run.sh"
        }
        assert len(texts) == 1
        assert entry.tier == BUILT_IN or len(entry.files) == 3
    beside = {path.name for path in tiers.uploaded.parent.iterdir()}
    assert beside <= {"agents", ".staging-agents"}
    assert list((tiers.uploaded.parent / ".staging-agents").iterdir()) == []


def test_a_kill_at_any_instant_leaves_the_old_one_or_the_new_one_whole(
    tiers: Tiers,
) -> None:
    """P04, P05: no half upload, and nothing left after the next start."""
    rolls = random.Random(20260301)
    Store(AGENTS, tiers, LIMITS).add("kept", files("kept"))
    survived = 0

    for number in range(60):
        store, new = Store(AGENTS, tiers, LIMITS), files(f"version {number}")
        acts = (
            partial(store.add, "x", new),
            partial(store.replace, "kept", new),
            partial(store.remove, "x"),
        )
        with suppress(DefinitionUnknown, DefinitionExists):
            store.remove("x") if number % 3 == 0 else store.add("x", new)

        died = in_a_child(dying_after(rolls.randint(0, 14), acts[number % 3]))

        survived += not died
        store = Store(AGENTS, tiers, LIMITS)
        store.settle()
        demand_whole(store, tiers)
        assert store.find("kept").tier == UPLOADED

    assert 0 < survived < 60
