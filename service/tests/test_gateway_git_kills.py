# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""A gateway or a forge that is killed below git: nothing is half there afterwards."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest
from forge.stand_in import Forge, git
from forge.through_gateway import Reached, through_gateway

SIZE = 20_000_000


async def noisy_clone(reached: Reached, place: Path) -> Path:
    """Return a clone with a commit that takes a while to push."""
    await reached.git(place, "clone", reached.url("team/shop"), "tree")
    tree = place / "tree"
    (tree / "noise").write_bytes(os.urandom(SIZE))
    await reached.git(tree, "config", "core.compression", "0")
    await reached.git(tree, "add", "-A")
    await reached.git(tree, "commit", "-m", "Noise")
    return tree


def receivers(forge: Forge) -> list[Path]:
    """Return the processes that take a push of this forge's, or lead one there."""
    return [
        process
        for process in Path("/proc").glob("[0-9]*")
        if _is_receiver(process, str(forge.repositories))
    ]


def _is_receiver(process: Path, repositories: str) -> bool:
    try:
        words = (process / "cmdline").read_bytes()
        place = os.readlink(process / "cwd")
    except OSError:
        return False
    over_ssh = b"ssh\0" in words and f"{repositories}".encode() in words
    return over_ssh or (b"receive-pack" in words and place.startswith(repositories))


@pytest.mark.parametrize("way", ["http", "ssh"])
async def test_a_push_below_a_killed_gateway_is_whole_or_not_there(
    short_path: Path,
    forge: Forge,
    tmp_path: Path,
    request: pytest.FixtureRequest,
    way: str,
) -> None:
    path = forge.new_repository()
    known = forge.settings()
    if way == "ssh":
        known = forge.settings(ssh=request.getfixturevalue("forge_ssh").settings())
    async with through_gateway(short_path, {"forge": known}) as reached:
        tree = await noisy_clone(reached, tmp_path)
        words = ("push", "origin", "HEAD:refs/heads/work")
        async with asyncio.TaskGroup() as group:
            pushing = group.create_task(_tried(reached, tree, *words))
            # Where a server of git puts a pack until it is whole.
            while not list(path.glob("objects/*incoming*")) and not pushing.done():
                await asyncio.sleep(0.002)
            assert reached.stack.gateway is not None
            reached.stack.gateway.kill()
            reached.stack.gateway.wait()
        half = forge.head("team/shop", "work")
        while receivers(forge):
            await asyncio.sleep(0.02)
        await reached.start()
        await _tried(reached, tree, *words)
        head = (await reached.git(tree, "rev-parse", "HEAD")).strip()

    assert half in (None, head)
    assert forge.head("team/shop", "work") == head
    git(path, "fsck", "--strict")


async def _tried(reached: Reached, tree: Path, *words: str) -> bool:
    """Run git; return whether it failed."""
    try:
        await reached.git(tree, *words)
    except AssertionError:
        return True
    return False


async def test_a_fetch_below_a_killed_forge_fails_and_goes_on_when_it_is_back(
    short_path: Path, forge: Forge, tmp_path: Path
) -> None:
    forge.new_repository()
    async with through_gateway(short_path, {"forge": forge.settings()}) as reached:
        tree = await noisy_clone(reached, tmp_path)
        await reached.git(tree, "push", "origin", "HEAD:main")
        clone = ("clone", reached.url("team/shop"), "again")
        async with asyncio.TaskGroup() as group:
            cloning = group.create_task(_tried(reached, tmp_path, *clone))
            asked = len(forge.requests("git-upload-pack"))
            while len(forge.requests("git-upload-pack")) < asked + 2:
                await asyncio.sleep(0.005)
            forge.stop()
        forge.start()
        assert not (tmp_path / "again").exists() or not cloning.result()
        again = await _tried(reached, tmp_path, *clone[:2], "third")

    assert not again
    assert (tmp_path / "third" / "noise").stat().st_size == SIZE
