# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""Work directories of a forge behind the gateway: over HTTP with its token, or SSH."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from forge.stand_in import TOKEN, Forge
from forge.through_gateway import through_gateway

from agentd.agent import command
from agentd.agent.settings import AgentSettings
from agentd.workdirs.git import Git
from agentd.workdirs.names import RepositoryName
from agentd.workdirs.places import places_of
from agentd.workdirs.steps import Acquired, Wanted
from agentd.workdirs.trees import acquire

from .world import git

SHOP = RepositoryName("forge", "team", "shop")
SECONDS = 120.0


def acquired(settings: AgentSettings, branch: str) -> Acquired:
    """Acquire a worktree as the agent's side does."""
    runner = Git(command.own_git_environment(settings), SECONDS)
    return acquire(places_of(settings), runner, Wanted(SHOP, branch))


WORK = (
    ("add", "-A"),
    ("commit", "-m", "Mine"),
    ("push", "origin", "HEAD"),
    # The old text was never fetched: git asks for it now.
    ("show", "HEAD~2:a.txt"),
)


@pytest.mark.parametrize("way", ["http", "ssh"])
async def test_a_worktree_is_made_worked_in_and_taken_up_again_through_the_gateway(
    short_path: Path,
    forge: Forge,
    tmp_path: Path,
    request: pytest.FixtureRequest,
    way: str,
) -> None:
    """H01, H03: neither token nor key is in anything that the agent has."""
    forge.new_repository("team/shop", **{"a.txt": "one\n"})
    forge.commit("team/shop", "Two", **{"a.txt": "two\n"})
    known = forge.settings()
    if way == "ssh":
        ssh = request.getfixturevalue("forge_ssh").settings()
        known = forge.settings(token_file=None, ssh=ssh)
    async with through_gateway(short_path, {"forge": known}) as reached:
        settings = AgentSettings(
            component="agent",
            deployment="demo",
            agent="main",
            workdirs_directory=str(tmp_path),
            home_directory=str(tmp_path),
            relay_port=reached.ports["main"],
        )
        first = await asyncio.to_thread(acquired, settings, "agentkeep/issue-7")
        tree = Path(first.path)
        (tree / "b.txt").write_text("mine\n")
        for words in WORK:
            shown = await asyncio.to_thread(git, tree, *words)
        forge.commit("team/shop", "Theirs", "agentkeep/issue-7", **{"c.txt": "c\n"})
        again = await asyncio.to_thread(acquired, settings, "agentkeep/issue-7")

    assert first.created and not again.created and again.path == first.path
    assert shown == "one"
    assert forge.show("team/shop", "agentkeep/issue-7", "b.txt") == "mine\n"
    assert all(one["authorized"] for one in forge.requests())
    kept = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
    assert not any(TOKEN.encode() in one or b"PRIVATE KEY" in one for one in kept)
