# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Somebody who opens many pages at once."""

from __future__ import annotations

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
        light = visit.page.locator("#live-words")
        expect(light).to_have_text("live")
        visit.page.evaluate(SEEN, True)
        others: list[Page] = []
        for _tab in range(TABS):
            others.append(visit.page.context.new_page())
            others[-1].goto(f"{visit.address}/dashboard/tasks")
            expect(others[-1].locator("#live-words")).to_have_text("live")
            others[-1].evaluate(SEEN, True)
        talk = deployment.say("hello", agent="review")["conversation_id"]
        link = visit.page.locator(f'a[href="/dashboard/conversations/{talk}"]')
        before = link.count()
        visit.page.evaluate(SEEN, False)
        expect(link).to_be_visible()

    assert before == 0
    assert visit.complaints == []
