# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""What pages show, and that nothing in them is more than text."""

from __future__ import annotations

import re
from pathlib import Path

from agentd.dashboard.live import Changes

from .filled import HOSTILE
from .visiting import BEARER, ListingSpawner, Outline, read, visited

LISTS = ("", "/conversations", "/tasks", "/usage", "/sweeps", "/webhooks")


async def test_pages_hold_no_script_no_style_and_no_address_of_others(
    tmp_path: Path,
) -> None:
    """Whatever agents and forges wrote stands there as text."""
    async with visited(tmp_path) as running:
        talks = (await running.client.get("/chat", headers=BEARER)).json()
        tasks = (await running.client.get("/queue", headers=BEARER)).json()["tasks"]
        failed = next(one["id"] for one in tasks if one["status"] == "failed")
        paths = [
            *LISTS,
            *("/agents/mail", "/usage?span=day&agent=mail", "/tasks?status=failed"),
            f"/conversations/{talks['conversations'][0]['id']}",
            f"/tasks/{failed}",
        ]
        pages = {path: await read(running, path) for path in paths}
        answer = await running.client.get("/dashboard")

    for path, text in pages.items():
        outline = Outline(text)
        foreign = [one for one in outline.addresses if not one.startswith(("/", "#"))]
        assert outline.inline == [], path
        assert [one for one in foreign if not one.startswith("?")] == [], path
        assert outline.tags.count("h1") == 1, path
        assert outline.unlabelled == [], path
        assert "img" not in outline.tags, path
        assert "\u202e" not in text, path
    assert HOSTILE[:8] not in "".join(pages.values())
    assert pages[f"/tasks/{failed}"].count("&lt;script&gt;") == 1
    policy = answer.headers["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert policy.startswith("default-src 'none'")
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Frame-Options"] == "DENY"


async def test_the_overview_tells_health_totals_backup_and_drill(
    tmp_path: Path,
) -> None:
    async with visited(tmp_path) as running:
        before = await read(running, "")
        failed = {"succeeded": False, "detail": {"error": "no space left"}}
        await running.client.put("/records/backup", json=failed, headers=BEARER)
        running.spawner.connected["mail"] = False
        after = await read(running, "")

    assert "3 h ago" in before
    assert before.count("went well") == 2
    assert ">well</span>" in before
    assert "no space left" in after
    assert "well <time" in after
    assert "Its side is not connected" in after


async def test_lists_are_filtered_and_told_in_pages(tmp_path: Path) -> None:
    async with visited(tmp_path) as running:
        everything = await read(running, "/conversations")
        second = await read(running, "/conversations?offset=50")
        mine = await read(running, "/conversations?agent=mail&state=unproved")
        found = await read(running, "/conversations?text=SHOP%2Fweb")
        nothing = await read(running, "/conversations?text=100%25")
        github = await read(running, "/webhooks?source=github")
        failed = await read(running, "/tasks?status=failed")

    assert everything.count('scope="row"') == 50
    assert 'href="/dashboard/conversations?offset=50"' in everything
    assert 'rel="prev" href="/dashboard/conversations"' in second
    assert set(re.findall(r'href="/dashboard/agents/(\w+)"', mine)) == {"mail"}
    assert mine.count(">unproved</span>") == mine.count('scope="row"') > 1
    assert found.count('class="about">shop/web<') == found.count('scope="row"') > 1
    assert "No conversation is like that." in nothing
    assert github.count('scope="row"') == github.count('data-label="From">github')
    assert failed.count('scope="row"') == 1


async def test_usage_is_drawn_with_its_limit_and_told_in_a_table(
    tmp_path: Path,
) -> None:
    """I17, I18: an agent's bytes by area, over time."""
    async with visited(tmp_path) as running:
        together = await read(running, "/usage")
        one = await read(running, "/usage?agent=main&span=month")

    assert together.count('<path class="area') == 4
    assert 'class="limit"' not in together
    assert one.count('<path class="area') == 5
    assert 'class="limit"' in one
    assert 'data-label="Bytes"' in one
    assert "caches" in one
    assert "takes no new turn" in one


async def test_worktrees_are_told_as_their_agent_lists_them(tmp_path: Path) -> None:
    """H03: what comes from the agent's side is a claim, and only shown."""
    good = {
        "name": "git/one",
        "repository": "git:shop/web",
        "branch": "fix/<b>",
        "path": "/data/workdirs/git/worktrees/one",
        "used_at": 1e9,
        "held": True,
        "dirty": True,
    }
    hostile = [7, {}, {**good, "branch": "a..b\n"}, {**good, "repository": "../../x"}]
    strange = {**good, "used_at": 1e400, "path": HOSTILE * 99, "held": False}
    async with visited(tmp_path, filled=False) as running:
        empty = await read(running, "/agents/main/worktrees")
        assert isinstance(running.spawner, ListingSpawner)
        running.spawner.listed["trees"] = [good, *hostile, strange]
        running.spawner.listed["more"] = True
        page = await read(running, "/agents/main/worktrees")
        running.spawner.connected["main"] = False
        away = await running.client.get("/dashboard/agents/main/worktrees")

    assert "no forge is declared" in empty
    assert page.count('scope="row"') == 2
    assert "fix/&lt;b&gt;" in page
    assert page.count(">in use</span>") == 1
    assert page.count(">changes</span>") == 2
    assert 'href="/dashboard/agents/main/worktrees?after=git%2Fone"' in page
    assert Outline(page).inline == []
    assert len(page) < 9000
    assert away.status_code == 503


async def test_an_empty_deployment_has_pages_that_say_so(tmp_path: Path) -> None:
    async with visited(tmp_path, filled=False) as running:
        pages = [await read(running, path) for path in (*LISTS, "/agents/main")]

    assert "not measured yet" in pages[0]
    assert pages[0].count("never told") == 2
    assert all('class="empty"' in page for page in pages)


async def test_what_is_not_there_is_a_page_too(tmp_path: Path) -> None:
    async with visited(tmp_path, filled=False) as running:
        get = running.client.get
        answers = {
            "/conversations/none": await get("/dashboard/conversations/none"),
            "/tasks/none": await get("/dashboard/tasks/none"),
            "/agents/nobody": await get("/dashboard/agents/nobody"),
            "/tasks?offset=-1": await get("/dashboard/tasks?offset=-1"),
            "/usage?span=eon": await get("/dashboard/usage?span=eon"),
            "/usages": await get("/dashboard/usages"),
            "/actions/sweep": await get("/dashboard/actions/sweep"),
        }
        slash = await get("/dashboard/")

    statuses = [answer.status_code for answer in answers.values()]
    assert statuses == [404, 404, 404, 400, 400, 404, 404]
    assert slash.headers["Location"] == "/dashboard"
    assert all("<h1>" in answer.text for answer in answers.values())
    assert "greater than or equal to 0" in answers["/tasks?offset=-1"].text


async def test_pages_are_made_of_either_database(
    tmp_path: Path, database_url: str
) -> None:
    async with visited(tmp_path, database_url=database_url) as running:
        pages = [await read(running, path) for path in LISTS]
        filtered = await read(
            running, "/conversations?agent=main&text=SHOP&state=proved"
        )
        mine = await read(running, "/usage?agent=mail&span=quarter")
        marks = await Changes().marks(running.service)

    assert all('class="empty"' not in page for page in pages)
    assert "shop/web" in filtered
    assert '<path class="area' in mine
    assert {"conversations", "tasks", "usage", "sweeps"} < set(marks)
