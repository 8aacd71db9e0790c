# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Who may use the dashboard, and what its forms do."""

from __future__ import annotations

import asyncio
from contextlib import ExitStack
from pathlib import Path

import pytest
from control.running_app import Parts, control

from agentd.dashboard.live import MAX_PAGES, Changes, news
from agentd.errors import TooManyReaders

from .visiting import BEARER, read, send, sign_in, visited


async def test_without_a_sign_in_pages_and_forms_lead_to_it(
    tmp_path: Path,
) -> None:
    """I15."""
    async with visited(tmp_path) as running:
        running.client.cookies.clear()
        page = await running.client.get("/dashboard/tasks?status=failed")
        form = await running.client.post("/dashboard/actions/sweep", data={"code": "x"})
        sweeps = [one for one in running.spawner.calls if "list" in one[1]]
        wrong = await sign_in(running, "an0ther")
        right = await sign_in(running, leads="/dashboard/tasks?status=failed")

    assert page.status_code == 303
    leads = "/dashboard/sign-in?next=%2Fdashboard%2Ftasks%3Fstatus%3Dfailed"
    assert page.headers["Location"] == leads
    # After twelve hours somebody may still have a page with a form in front of him.
    assert (form.status_code, form.headers["Location"]) == (303, "/dashboard/sign-in")
    assert sweeps == []
    assert wrong.status_code == 403
    assert "set-cookie" not in wrong.headers
    assert right.headers["Location"] == "/dashboard/tasks?status=failed"
    cookie = right.headers["Set-Cookie"]
    for part in ("HttpOnly", "SameSite=strict", "Path=/dashboard", "Max-Age=43200"):
        assert part in cookie


async def test_the_cookie_opens_the_dashboard_and_nothing_else(
    tmp_path: Path,
) -> None:
    async with visited(tmp_path, filled=False) as running:
        name, value = next(iter(running.client.cookies.items()))
        answer = await running.client.get(
            "/agents", headers={"Cookie": f"{name}={value}"}
        )
        await send(running, "reload")
        out = await running.client.post("/dashboard/sign-out", data={"code": "x"})

    assert answer.status_code == 401
    assert out.status_code == 403


async def test_a_conversation_is_reset_by_the_form_of_its_page_only(
    tmp_path: Path,
) -> None:
    """I14: the session is forgotten; a form of somebody else does nothing."""
    async with visited(tmp_path) as running:
        said = {"message": "hello", "repository": "free text", "issue": "7"}
        first = await running.client.post("/chat", json=said, headers=BEARER)
        talk = first.json()["conversation_id"]
        path = f"/conversations/{talk}"
        foreign = await running.client.post(
            "/dashboard/actions/reset", data={"conversation": talk, "code": "f" * 64}
        )
        between = await running.client.get(f"/chat/{talk}", headers=BEARER)
        done = await send(running, "reset", path, conversation=talk)
        told = await running.client.get(done.headers["Location"])
        again = await send(running, "reset", path, conversation=talk)
        after = await running.client.get(f"/chat/{talk}", headers=BEARER)

    assert foreign.status_code == 403
    assert between.json()["session_id"] == first.json()["session_id"]
    assert done.status_code == 303
    assert done.headers["Location"] == f"/dashboard{path}?done=session"
    assert "The session is forgotten" in told.text
    assert again.headers["Location"].endswith("?done=nothing")
    assert after.json()["session_id"] is None


async def test_a_conversation_in_a_turn_is_not_reset(tmp_path: Path) -> None:
    """I14: 409, as a page that says why."""
    async with visited(tmp_path, filled=False) as running:
        running.engine.gate = asyncio.Event()
        async with asyncio.TaskGroup() as tasks:
            turn = tasks.create_task(
                running.client.post("/chat", json={"message": "x"}, headers=BEARER)
            )
            while not running.engine.wishes:
                await asyncio.sleep(0.01)
            talk = running.engine.wishes[0].conversation_id
            refused = await send(
                running, "reset", f"/conversations/{talk}", conversation=talk
            )
            running.engine.gate.set()
        session = turn.result().json()["session_id"]
        after = await running.client.get(f"/chat/{talk}", headers=BEARER)

    assert refused.status_code == 409
    assert "in a turn" in refused.text
    assert after.json()["session_id"] == session


async def test_skills_are_reloaded_and_a_sweep_is_tried(tmp_path: Path) -> None:
    """I08: a dry run from the dashboard is listed, and removes nothing."""
    async with visited(tmp_path, filled=False) as running:
        reloaded = await send(running, "reload", "/agents/mail", agent="mail")
        tried = await send(running, "sweep", "/sweeps", dry_run="true")
        page = await read(running, "/sweeps")
        asked = [one for one in running.spawner.calls if one[1] == "sync_skills"]

    assert reloaded.headers["Location"] == "/dashboard/agents/mail?done=reloaded"
    assert [agent for agent, _name, _parameters in asked] == ["mail"]
    assert tried.headers["Location"] == "/dashboard/sweeps?done=tried"
    assert page.count("dry run</span>") == 1


async def test_open_pages_are_told_what_changed(tmp_path: Path) -> None:
    async with visited(tmp_path, filled=False) as running:
        events = news(running.service, Changes())
        opened = await anext(events)
        await running.client.post("/chat", json={"message": "x"}, headers=BEARER)
        changed = await anext(events)
        await events.aclose()  # type: ignore[attr-defined]

    assert b"open" in opened
    assert changed.startswith(b'event: changed\ndata: ["')
    assert b'"conversations"' in changed


def test_only_so_many_pages_are_live() -> None:
    changes = Changes()

    with ExitStack() as opened:
        for _page in range(MAX_PAGES):
            opened.enter_context(changes.pages.place())
        with pytest.raises(TooManyReaders, match="live already"):
            changes.pages.demand_room()
    changes.pages.demand_room()


async def test_without_a_token_nobody_is_asked_for_one(tmp_path: Path) -> None:
    async with control(tmp_path, Parts(token=None)) as running:
        page = await running.client.get("/dashboard")
        foreign = await running.client.post(
            "/dashboard/actions/reload", data={"code": "f" * 64}
        )
        done = await send(running, "reload")

    assert page.status_code == 200
    assert "Sign out" not in page.text
    assert foreign.status_code == 403
    assert done.status_code == 303


async def test_without_a_token_pages_of_others_send_nothing(tmp_path: Path) -> None:
    """A browser sends a form to loopback for any page that its user visits."""
    async with control(tmp_path, Parts(token=None)) as running:
        host = str(running.client.base_url)
        statuses = [
            (
                await running.client.post("/sweep", headers={"Origin": origin})
            ).status_code
            for origin in ("https://example.org", "null", host.rstrip("/"))
        ]
        told = (await running.client.get("/sweeps")).json()["sweeps"]

    assert statuses == [403, 403, 200]
    assert len(told) == 1
