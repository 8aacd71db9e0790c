# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Every page in the browser: no serious fault for who cannot see or point, and fits."""

from __future__ import annotations

import pytest
from control.service import ControlProcess
from playwright.sync_api import Browser

from .browsing import PHONE, WIDE, visitor

# Long lists are filtered: each row is like the others.
PAGES = {
    "overview": "",
    "agent": "/agents/main",
    "worktrees": "/agents/main/worktrees",
    "conversations": "/conversations?agent=mail&state=unproved",
    "conversation": "/conversations/{conversation}",
    "tasks": "/tasks?status=queued",
    "task": "/tasks/{task}",
    "usage": "/usage?agent=main",
    "sweeps": "/sweeps",
    "webhooks": "/webhooks?source=github",
    "refused": "/conversations/none",
}
LOOKS = {"light": (WIDE, False), "dark": (WIDE, True), "phone": (PHONE, False)}
# What another look can change, beside what is looked for in the first one.
COLOURS, SIZES = ("color-contrast",), ("target-size", "scrollable-region-focusable")
RULES = {"light": (), "dark": COLOURS, "phone": SIZES}


@pytest.mark.parametrize("look", LOOKS)
def test_every_page_can_be_used_by_everybody_and_is_no_wider_than_its_window(
    shown: Browser, deployment: ControlProcess, look: str
) -> None:
    size, dark = LOOKS[look]
    listed = deployment.client.get("/chat").json()["conversations"]
    queued = deployment.client.get("/queue").json()["tasks"]
    ids = {"conversation": listed[0]["id"], "task": queued[-1]["id"]}
    found: dict[str, object] = {}
    with visitor(shown, str(deployment.client.base_url), size, dark=dark) as visit:
        visit.go()
        found["sign-in"] = visit.faults(RULES[look])
        visit.picture(f"sign-in-{look}")
        visit.sign_in(deployment.token)
        for name, path in PAGES.items():
            visit.go(path.format(**ids))
            wide = ["is wider than its window"] * visit.is_wider_than_its_window()
            found[name] = [*visit.faults(RULES[look]), *wide]
            visit.picture(f"{name}-{look}")
        if look == "light":
            visit.go()
            visit.picture("dashboard", whole=False)
        complaints = [one for one in visit.complaints if "404" not in one]

    assert {name: told for name, told in found.items() if told} == {}
    assert complaints == []
