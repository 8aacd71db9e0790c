# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Somebody who opens many pages at once, or one for long."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from control.service import ControlProcess
from playwright.sync_api import Browser, Page, expect

from .browsing import visitor

pytestmark = pytest.mark.live

# A browser opens six connections to a server, and each live page holds one.
TABS = 8
SEEN = """hidden => {
  Object.defineProperty(document, "hidden", { configurable: true, get: () => hidden });
  document.dispatchEvent(new Event("visibilitychange"));
}"""


def test_pages_in_the_background_leave_connections_for_others(
    shown: Browser, deployment: ControlProcess
) -> None:
    with visitor(shown, str(deployment.client.base_url)) as visit:
        visit.go("/conversations?agent=review")
        visit.sign_in(deployment.token)
        # At once: it may not even be live yet.
        visit.page.evaluate(SEEN, True)
        others: list[Page] = []
        for _tab in range(TABS):
            others.append(visit.page.context.new_page())
            others[-1].goto(f"{visit.address}/dashboard/tasks")
            expect(others[-1].locator("#live")).to_be_visible()
            others[-1].evaluate(SEEN, True)
        talk = deployment.say("hello", agent="review")["conversation_id"]
        link = visit.page.locator(f'a[href="/dashboard/conversations/{talk}"]')
        before = link.count()
        visit.page.evaluate(SEEN, False)
        expect(link).to_be_visible()

    assert before == 0
    assert visit.complaints == []


def test_a_page_that_is_told_nothing_is_up_to_date_all_the_same(
    shown: Browser, deployment: ControlProcess
) -> None:
    """Times that go by, and what is wrong, are no change that is told."""
    record = {"succeeded": True, "at": datetime.now(UTC).isoformat()}
    deployment.client.put("/records/drill", json=record)
    with visitor(shown, str(deployment.client.base_url)) as visit:
        visit.page.clock.install()
        visit.go()
        visit.sign_in(deployment.token)
        expect(visit.page.locator("#live")).to_be_visible()
        failed = visit.page.get_by_text("failed", exact=True)
        drill = visit.page.locator("dl.figures > div").filter(has_text="Last drill")
        expect(drill.get_by_text("went well")).to_be_visible()
        # At the same time: what marks a change is the latest time of all.
        record["succeeded"] = False
        deployment.client.put("/records/drill", json=record)
        visit.page.clock.fast_forward(61_000)
        expect(drill.and_(drill.filter(has=failed))).to_be_visible()

    assert visit.complaints == []
