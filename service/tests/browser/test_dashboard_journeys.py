# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""What people do at the dashboard, with a mouse, with keys alone, without scripts."""

from __future__ import annotations

import re

import pytest
from control.service import ControlProcess
from playwright.sync_api import Browser, expect

from .browsing import PHONE, visitor

pytestmark = pytest.mark.live


def test_somebody_signs_in_filters_and_resets_and_open_pages_follow(
    shown: Browser, deployment: ControlProcess
) -> None:
    """I14: a real conversation is seen, goes on, is reset, and begins anew."""
    address = str(deployment.client.base_url)
    with (
        visitor(shown, address) as watching,
        visitor(shown, address) as visit,
    ):
        watching.go("/conversations?agent=mail")
        watching.sign_in(deployment.token)
        expect(watching.page).to_have_url(re.compile(r"\?agent=mail$"))
        expect(watching.page.locator("#live-words")).to_have_text("live")
        first = deployment.say("Remember the word mango.", agent="mail")
        talk = first["conversation_id"]
        link = f'a[href="/dashboard/conversations/{talk}"]'
        # Without a reload: the page was told, and fetched itself.
        expect(watching.page.locator(link)).to_be_visible()
        row = watching.page.get_by_role("row").filter(has=watching.page.locator(link))
        expect(row.get_by_text("live", exact=True)).to_be_visible()

        visit.go("/conversations")
        visit.sign_in(deployment.token)
        visit.page.get_by_label("Agent").select_option("mail")
        visit.page.get_by_label("Repository, issue, branch or id").fill(talk)
        visit.page.get_by_role("button", name="Show").click()
        expect(visit.page.locator("tbody tr")).to_have_count(1)
        visit.page.locator(link).click()
        expect(visit.page.get_by_text("A live client holds it.")).to_be_visible()
        visit.page.get_by_text("Reset this conversation").click()
        visit.page.get_by_role("button", name="Reset conv-").click()
        expect(visit.page.get_by_role("status")).to_contain_text("is forgotten")
        expect(row.get_by_text("fresh", exact=True)).to_be_visible()

        after = deployment.say("Which word?", conversation_id=talk)
        expect(row.get_by_text("live", exact=True)).to_be_visible()
        complaints = [*watching.complaints, *visit.complaints]

    assert after["resumed"] is False
    assert after["session_id"] != first["session_id"]
    assert complaints == []


def test_without_scripts_on_a_phone_everything_is_there_all_the_same(
    shown: Browser, deployment: ControlProcess
) -> None:
    address = str(deployment.client.base_url)
    with visitor(shown, address, PHONE, scripts=False) as visit:
        visit.go("/sweeps")
        visit.sign_in(deployment.token)
        visit.page.get_by_role("button", name="Tell what a sweep would remove").click()
        expect(visit.page.get_by_role("status")).to_contain_text("Nothing was removed")
        first = visit.page.locator("tbody tr").first
        expect(first.get_by_text("dry run")).to_be_visible()
        expect(first.get_by_text("request")).to_be_visible()
        expect(visit.page.locator("#live")).to_be_hidden()
        visit.page.get_by_role("link", name="Tasks").click()
        visit.page.get_by_label("Status").select_option("failed")
        visit.page.get_by_role("button", name="Show").click()
        expect(visit.page.locator("tbody tr")).to_have_count(1)
        visit.page.get_by_role("button", name="Sign out").click()
        expect(visit.page.get_by_label("API token")).to_be_visible()
        visit.go("/tasks")
        expect(visit.page.get_by_label("API token")).to_be_visible()


def test_keys_alone_are_enough(shown: Browser, deployment: ControlProcess) -> None:
    with visitor(shown, str(deployment.client.base_url)) as visit:
        visit.go("/webhooks")
        visit.page.keyboard.type("wr0ng")
        visit.page.keyboard.press("Enter")
        expect(visit.page.get_by_role("alert")).to_contain_text("not the API token")
        visit.page.keyboard.type(deployment.token)
        visit.page.keyboard.press("Enter")
        expect(visit.page.get_by_role("heading", name="Webhooks")).to_be_visible()
        visit.page.keyboard.press("Tab")
        expect(visit.page.get_by_role("link", name="Skip")).to_be_focused()
        visit.page.keyboard.press("Enter")
        visit.page.keyboard.press("Tab")
        expect(visit.page.get_by_label("From")).to_be_focused()
        visit.page.keyboard.press("g")
        visit.page.keyboard.press("Tab")
        visit.page.keyboard.type("shop/api")
        visit.page.keyboard.press("Enter")
        expect(visit.page).to_have_url(
            re.compile("source=github&repository=shop%2Fapi")
        )
        rows = visit.page.locator("tbody tr")
        expect(rows.first).to_contain_text("shop/api")
        assert rows.count() == visit.page.get_by_text("shop/api#").count()
