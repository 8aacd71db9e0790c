# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Repositories and branches as callers name them: taken, fixed and refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from agentd.errors import WorkRefused
from agentd.settings import ControlSettings
from agentd.work.naming import Naming
from agentd.workdirs.names import RepositoryName

from .worktrees import FORGES, ON_BRANCH, working

NAMING = Naming(("work", "other"))
ISSUE = {"repository": "shop/web", "issue": "7"}


@pytest.mark.parametrize(
    ("text", "repository", "short"),
    [
        ("shop/web", RepositoryName("work", "shop", "web"), "shop/web"),
        ("work:shop/web", RepositoryName("work", "shop", "web"), "shop/web"),
        ("other:shop/web", RepositoryName("other", "shop", "web"), "other:shop/web"),
    ],
)
def test_a_repository_has_one_name_that_it_is_stored_under(
    text: str, repository: RepositoryName, short: str
) -> None:
    assert NAMING.repository(text) == repository
    assert NAMING.short(repository) == NAMING.stored(text) == short


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("shop", "is no repository"),
        ("../web", "is no repository"),
        ("third:shop/web", 'forge "third" is not declared'),
    ],
)
def test_what_is_no_repository_is_refused_and_stored_as_it_is(
    text: str, why: str
) -> None:
    with pytest.raises(WorkRefused, match=why):
        NAMING.repository(text)

    assert NAMING.stored(text) == text


def test_the_first_forge_of_the_settings_is_meant_where_none_is_named() -> None:
    settings = ControlSettings.model_validate(
        {
            "component": "control",
            "deployment": "demo",
            "agents": [{"name": "main"}],
            "listen_host": "127.0.0.1",
            "forges": FORGES,
        }
    )

    assert Naming.of(settings) == NAMING


async def test_both_names_of_a_repository_mean_one_conversation(tmp_path: Path) -> None:
    async with working(tmp_path) as running:
        first = await running.say(**ISSUE)
        second = await running.say(repository="work:shop/web", issue="7")
        other = await running.say(repository="other:shop/web", issue="7")
        path = "/sessions?repository=work%3Ashop%2Fweb&issue=7"
        dropped = (await running.control.client.delete(path)).json()

    assert second["conversation_id"] == first["conversation_id"]
    assert other["conversation_id"] != first["conversation_id"]
    assert dropped["dropped"] == 1


async def test_a_conversation_from_before_there_were_forges_is_found_as_it_was_named(
    tmp_path: Path,
) -> None:
    named = {"repository": "work:shop/web", "issue": "7"}
    async with working(tmp_path, forges={}) as before:
        first = await before.say(**named)
    async with working(tmp_path) as running:
        second = await running.say(**named)
        dropped = await running.post("/reset", agent="main", repo="shop/web", issue=7)

    assert second["conversation_id"] == first["conversation_id"]
    assert dropped == (200, {"dropped": {"worktree": False, "session": True}})


async def test_a_conversation_keeps_its_branch(tmp_path: Path) -> None:
    async with working(tmp_path) as running:
        known = (await running.say(branch="fix/cart", **ISSUE))["conversation_id"]
        plain = (await running.say(repository="shop/web", issue="8"))["conversation_id"]
        kept = await running.say("more", **ISSUE)
        same = await running.say("more", conversation_id=known, branch="fix/cart")
        others = [
            await running.post("/chat", message="x", **body)
            for body in (
                {"conversation_id": known, "branch": "fix/other"},
                {"branch": "fix/other", **ISSUE},
                {"conversation_id": plain, "branch": "fix/cart"},
            )
        ]
        branches = [one.branch for one in running.control.engine.wishes]

    assert kept["conversation_id"] == same["conversation_id"] == known
    assert [status for status, _body in others] == [409, 409, 409]
    assert 'is on branch "fix/cart", not "fix/other"' in others[0][1]["error"]
    assert "is on no branch" in others[2][1]["error"]
    assert branches == ["fix/cart", None, "fix/cart", "fix/cart"]


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ({"branch": "main"}, "branch is one of a repository. Send repository too."),
        ({"branch": "main", "issue": "7"}, "repository and issue belong together."),
        ({**ON_BRANCH, "definition": "reviewer"}, "each mean a directory to work in"),
        ({**ON_BRANCH, "branch": "a..b"}, "no name of a branch that git takes"),
        ({**ON_BRANCH, "branch": "-x"}, "no name of a branch that git takes"),
        ({**ON_BRANCH, "repository": "web"}, "is no repository"),
        ({**ON_BRANCH, "repository": "x:a/b"}, 'forge "x" is not declared'),
    ],
    ids=str,
)
async def test_a_branch_that_is_nowhere_is_refused_before_anything_is_stored(
    tmp_path: Path, body: dict[str, object], why: str
) -> None:
    async with working(tmp_path) as running:
        answers = [
            await running.post("/chat", message="x", **body),
            await running.post("/queue", prompt="x", **body),
        ]
        listed = (await running.control.client.get("/chat")).json()["conversations"]
        queued = (await running.control.client.get("/queue")).json()["tasks"]

    for status, answer in answers:
        said = [
            answer["error"],
            *(one["problem"] for one in answer.get("problems", [])),
        ]
        assert status == 400 and any(why in one for one in said), answer
    assert not listed and not queued


async def test_without_a_forge_issues_are_free_text_and_branches_are_refused(
    tmp_path: Path,
) -> None:
    async with working(tmp_path, forges={}) as running:
        answer = await running.say(repository="anything at all", issue="one")
        status, body = await running.post("/chat", message="x", **ON_BRANCH)

    assert answer["status"] == "success"
    assert status == 400 and "no forge is declared" in body["error"]
