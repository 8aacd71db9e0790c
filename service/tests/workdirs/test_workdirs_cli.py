# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""What a CLI in a worktree is started with, and where its transcripts are found."""

from __future__ import annotations

import os
import uuid
from dataclasses import replace
from pathlib import Path

import pytest

from agentd.agent import command
from agentd.agent.log import Log
from agentd.agent.processes import CliProcesses
from agentd.agent.settings import AgentSettings, parse_agent_settings
from agentd.agent.start import StartRefused, parse_start
from agentd.agent.transcript_calls import places_of
from agentd.spawner.dial import CallFailed
from agentd.transcripts.drafts import begin
from agentd.transcripts.find import session_state
from agentd.transcripts.key import project_key
from agentd.transcripts.scan import scan_session

from .world import SHOP, World, git

SESSION = str(uuid.UUID(int=1))
ON_BRANCH = {"repository": "forge:team/shop", "branch": "fix"}


def start(**more: object) -> dict[str, object]:
    """Return control's wish for a CLI."""
    return {"session_id": SESSION, "resume": False, **more}


@pytest.mark.parametrize(
    "wrong",
    [
        {"branch": "fix"},
        {"repository": "team/shop", "branch": "fix"},
        {"repository": "forge:../shop", "branch": "fix"},
        {"repository": "forge:team/shop", "branch": "../fix"},
        {"repository": "forge:team/shop", "branch": 7},
        {**ON_BRANCH, "definition": "reviewer"},
        {**ON_BRANCH, "holder": "a\nb"},
    ],
    ids=str,
)
def test_a_start_in_no_worktree_that_there_could_be_is_refused(
    wrong: dict[str, object],
) -> None:
    """H04."""
    with pytest.raises(StartRefused):
        parse_start(start(**wrong))

    assert parse_start(start(**ON_BRANCH)).branch == "fix"


async def test_a_cli_starts_in_a_worktree_only_while_that_is_held(world: World) -> None:
    """H07, H08: what nobody holds may be removed at any moment."""
    processes = CliProcesses(world.settings, "/bin/false", Log("main", "critical"))
    wish = parse_start(start(**ON_BRANCH, holder="turn"))
    world.acquire("fix")
    with pytest.raises(CallFailed, match="not held"):
        processes._directory_of(wish)

    await processes.locks.take(world.tree("fix"), "turn", 1)

    assert processes._directory_of(wish) == world.tree("fix")
    with pytest.raises(CallFailed, match="not held"):
        processes._directory_of(replace(wish, branch="other"))


async def test_a_turn_whose_worktree_went_to_another_starts_no_cli_in_it(
    world: World,
) -> None:
    """H07: control was away between holding it and the start."""
    processes = CliProcesses(world.settings, "/bin/false", Log("main", "critical"))
    world.acquire("fix")
    tree = world.tree("fix")
    await processes.locks.take(tree, "first", 1)
    processes.locks.lose()
    await processes.locks.take(tree, "second", 1)

    with pytest.raises(CallFailed, match="not held"):
        processes._directory_of(parse_start(start(**ON_BRANCH, holder="first")))

    mine = parse_start(start(**ON_BRANCH, holder="second"))
    assert processes._directory_of(mine) == tree


def test_git_says_who_the_agent_is_and_asks_nobody(world: World) -> None:
    """H10: author and committer from the settings; no helper, no question."""
    settings = replace(world.settings, git_name="Ada", git_email="ada@example.org")
    tree = world.acquire("fix").path

    environment = {**os.environ, **command.environment(settings)}
    words = ("commit", "--quiet", "--allow-empty", "-m", "By the agent")
    git(tree, *words, **{k: v for k, v in environment.items() if "GIT" in k})

    who = git(tree, "log", "-1", "--format=%an %ae %cn %ce")
    assert who == "Ada ada@example.org Ada ada@example.org"
    assert environment["GIT_TERMINAL_PROMPT"] == "0"
    unnamed = command.environment(world.settings)
    assert unnamed["GIT_AUTHOR_NAME"] == "main"
    assert unnamed["GIT_COMMITTER_EMAIL"] == "main@agents.invalid"


def test_a_proxy_of_the_deployment_is_no_way_to_the_relay(world: World) -> None:
    """H10: with a proxy in the environment too, git asks the relay itself."""
    proxy = {"http_proxy": "http://192.0.2.1:1", "HTTP_PROXY": "http://192.0.2.1:1"}
    settings = replace(world.settings, relay_port=8099, environment=proxy)

    given = command.environment(settings)
    said = git(
        world.remotes,
        "config",
        "--get-urlmatch",
        "http.proxy",
        "http://127.0.0.1:8099/git/forge/team/shop.git",
        **{name: value for name, value in given.items() if "GIT" in name},
    )

    assert said == ""
    assert given["http_proxy"]


@pytest.mark.parametrize(
    ("name", "value", "good"),
    [
        ("git_name", "", True),
        ("git_name", "Ada L.", True),
        ("git_name", "A<b>", False),
        ("git_email", "a\nb", False),
        ("git_email", 7, False),
    ],
)
def test_an_identity_holds_only_what_git_has_a_place_for(
    name: str, value: object, good: bool
) -> None:
    """H10."""
    given = {"component": "agent", "deployment": "d", "agent": "main", name: value}
    if good:
        assert getattr(parse_agent_settings(given), name) == value
        return
    with pytest.raises(ValueError, match=name):
        parse_agent_settings(given)


def with_transcript(settings: AgentSettings, tree: Path) -> Path:
    """Write a transcript into the project of a worktree."""
    places = places_of(settings)
    directory = places.projects / project_key(tree)
    directory.mkdir(parents=True)
    file = directory / f"{SESSION}.jsonl"
    file.write_text(f'{{"type":"user","sessionId":"{SESSION}"}}\n')
    return file


def test_a_session_of_a_worktree_is_found_and_comes_before_a_stranger_s_copy(
    world: World, tmp_path: Path
) -> None:
    """G12, H03."""
    memory = str(tmp_path / "memory")
    settings = replace(
        world.settings,
        working_directory=memory,
        config_directory=f"{memory}/.claude",
    )
    places = places_of(settings)
    file = with_transcript(settings, world.tree("fix"))
    stranger = places.projects / "-a-stranger"
    stranger.mkdir()
    (stranger / file.name).write_text("copy\n")

    assert session_state(places, SESSION, None).path == str(file)
    assert scan_session(places, SESSION).path == str(file)
    assert places.rank(file.parent.name) == 1


def test_a_restored_session_comes_to_lie_in_its_worktree_s_project(
    world: World, tmp_path: Path
) -> None:
    """G12: from the database, on a host that never saw it."""
    memory = str(tmp_path / "memory")
    settings = replace(
        world.settings, working_directory=memory, config_directory=f"{memory}/.claude"
    )
    places = places_of(settings)

    draft = begin(places, SESSION, "", places.project_of(None, (SHOP, "fix")))
    draft.put_in_place(keep=False)
    draft.close()

    expected = places.projects / project_key(world.tree("fix")) / f"{SESSION}.jsonl"
    assert expected.exists()
