# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Root's repair of a tree that an agent prepared touches nothing outside of it.

A09, A08: links, loops, special files, files with several names, and links that are put
in place while the walk runs. Nothing outside the data root, and nothing of another
agent, changes owner, mode or content.
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.agentkeep.agents.plugins.module_utils._errors import (
    AgentkeepError,
    UnsafePath,
)
from ansible_collections.agentkeep.agents.plugins.module_utils._files.root import (
    make_tree,
)
from ansible_collections.agentkeep.agents.plugins.module_utils._layout.on_disk import (
    apply,
    read,
)
from ansible_collections.agentkeep.agents.plugins.module_utils._plan import Plan
from ansible_collections.agentkeep.agents.plugins.module_utils._state.plan import (
    plan_layout,
)
from ansible_collections.agentkeep.agents.plugins.modules import state_layout
from hostile_tree import (
    AGENT,
    OTHER,
    PLANTS,
    Plant,
    give_by_path,
    make_foreign,
    snapshot,
    swapping,
    untouchable,
)

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="needs to be root")

RACE_SECONDS = 4
FILES = 40

Params = dict[str, Any]


@pytest.fixture
def params(tmp_path: Path) -> Params:
    """Return the options of two agents with a memory each, and repair switched on."""
    tmp_path.chmod(0o755)
    memory = {
        "name": "memory",
        "scope": "agent",
        "source": "memory",
        "owner": "agent",
        "mode": "0750",
        "mounts": [{"component": "agent", "target": "/data/memory", "access": "rw"}],
        "kind": "workspace",
        "backup": "files",
        "directories": [".claude", ".claude/projects"],
    }
    return {
        "data_root": str(tmp_path / "state"),
        "deployment": "demo",
        "inventory": [memory],
        "agents": [{"name": "main", "uid": AGENT}, {"name": "mail", "uid": OTHER}],
        "uid_offset": 0,
        "repair": True,
        "lock_wait_seconds": 5,
    }


@pytest.fixture
def memory(params: Params) -> Path:
    """Return the memory of the hostile agent in a deployment that is laid out."""
    lay_out(params)
    other = Path(params["data_root"]) / "demo/agents/mail/memory"
    (other / "theirs").write_text("theirs")
    os.chown(other / "theirs", OTHER, OTHER)
    return Path(params["data_root"]) / "demo/agents/main/memory"


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """Return a directory of root outside the data root, with files in it."""
    directory = tmp_path / "outside"
    (directory / "below").mkdir(parents=True)
    for number in range(FILES):
        (directory / f"file-{number}").write_text(f"outside {number}")
        (directory / "below" / f"file-{number}").write_text(f"below {number}")
    (directory / "file-0").chmod(0o600)
    return directory


def lay_out(params: Params) -> Plan:
    """Carry out state_layout with these options."""
    layout = state_layout.wanted(params)
    plan = plan_layout(read(layout), layout)
    return apply(plan, layout)


@pytest.mark.parametrize("plant", PLANTS)
def test_prepared_tree_is_repaired_and_nothing_else_is(
    params: Params, memory: Path, outside: Path, plant: Plant
) -> None:
    """A08, A09: all of it is given to the agent, links themselves, in less than 5 s."""
    plant(memory, outside)
    make_foreign(memory)
    before = untouchable(memory, outside)
    started = time.monotonic()

    plan = lay_out(params)

    assert time.monotonic() - started < 5
    assert plan.changed is True
    assert untouchable(memory, outside) == before
    assert {path.lstat().st_uid for path in memory.rglob("*")} == {AGENT}
    assert (
        plan_layout(
            read(state_layout.wanted(params)), state_layout.wanted(params)
        ).changed
        is False
    )


@pytest.mark.parametrize("target", ["/etc", "../../mail/memory", "."])
@pytest.mark.parametrize(
    "place", ["memory", "memory/.claude", "memory/.claude/projects"]
)
def test_link_in_the_place_of_a_declared_directory_is_refused(
    params: Params, memory: Path, outside: Path, target: str, place: str
) -> None:
    """A09: it is named, and the run ends."""
    directory = memory.parent / place
    directory.rename(memory.parent / "aside")
    directory.symlink_to(target)
    before = untouchable(memory, outside)

    with pytest.raises(UnsafePath, match=f'is a link to "{target}"'):
        lay_out(params)

    assert untouchable(memory, outside) == before


def test_file_with_a_name_elsewhere_is_refused(
    params: Params, memory: Path, outside: Path
) -> None:
    """A09: what is outside belongs to root still."""
    os.link(outside / "file-0", memory / "file")
    before = untouchable(memory, outside)

    with pytest.raises(UnsafePath, match="the file has 2 names"):
        lay_out(params)

    assert untouchable(memory, outside) == before


@pytest.fixture
def raced(memory: Path, outside: Path) -> list[tuple[Path, Path]]:
    """Return pairs that an agent swaps: a directory and a file, each with a link."""
    victim = memory / "victim"
    (victim / "below").mkdir(parents=True)
    for number in range(FILES):
        (victim / f"file-{number}").write_text("")
        (victim / "below" / f"file-{number}").write_text("")
    (memory / "link").symlink_to(outside)
    (victim / "link").symlink_to(outside / "file-7")
    (memory / "claude-link").symlink_to(outside)
    for path in (*memory.rglob("*"), memory):
        os.chown(path, AGENT, AGENT, follow_symlinks=False)
    return [
        (victim, memory / "link"),
        (victim / "file-7", victim / "link"),
        (memory / ".claude", memory / "claude-link"),
    ]


@pytest.mark.parametrize("chosen", [slice(0, 2), slice(2, 3), slice(0, 3)])
def test_links_swapped_in_while_the_walk_runs_are_never_followed(
    params: Params,
    memory: Path,
    outside: Path,
    raced: list[tuple[Path, Path]],
    chosen: slice,
) -> None:
    """A09: root gives away and corrects in a tree that changes under its hands."""
    before = untouchable(memory, outside)
    runs, refused, end = 0, 0, time.monotonic() + RACE_SECONDS

    with swapping(memory, raced[chosen]):
        while time.monotonic() < end:
            make_foreign(memory / "victim")
            memory.chmod(0o755)
            runs += 1
            try:
                lay_out(params)
            except AgentkeepError:
                refused += 1

    assert untouchable(memory, outside) == before
    assert runs > 10
    print(f"{runs} runs, {refused} of them refused")


def test_links_swapped_in_while_trees_are_removed_are_never_followed(
    memory: Path, outside: Path
) -> None:
    """K07, A09: a wipe in a race removes what is in the directory, and no more."""
    victims = [memory / f"victim-{number}" for number in range(20)]
    for victim in victims:
        (victim / "below").mkdir(parents=True)
        (victim / "link").symlink_to(outside)
        for number in range(FILES):
            (victim / "below" / f"file-{number}").write_text("")
    for path in (*memory.rglob("*"), memory):
        os.chown(path, AGENT, AGENT, follow_symlinks=False)
    pairs = [(victim / "below", victim / "link") for victim in victims]
    before, refused = untouchable(memory, outside), 0

    with swapping(memory, pairs), make_tree(str(memory.parent), 0o711) as tree:
        for victim in victims:
            while victim.exists():
                try:
                    tree.remove_tree(f"memory/{victim.name}")
                except AgentkeepError:
                    refused += 1

    assert list(memory.glob("victim-*")) == []
    assert untouchable(memory, outside) == before
    print(f"{len(victims)} removed, {refused} attempts refused")


def test_the_same_race_defeats_a_walk_by_path(
    memory: Path, outside: Path, raced: list[tuple[Path, Path]]
) -> None:
    """The attack is a real one: it is not for lack of luck that the others pass."""
    before = snapshot(outside)
    end = time.monotonic() + 60

    with swapping(memory, raced):
        while time.monotonic() < end and snapshot(outside) == before:
            give_by_path(memory)

    assert snapshot(outside) != before
