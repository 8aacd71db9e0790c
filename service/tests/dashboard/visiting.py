# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""A visitor without a browser: signs in, reads pages, sends their forms."""

from __future__ import annotations

import re
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path

import httpx
from control.fakes import FakeSpawner
from control.running_app import TOKEN, Control, Parts, control

from .filled import AGENTS, Filling

HIDDEN = re.compile(r'name="code" value="([0-9a-f]{64})"')


class Outline(HTMLParser):
    """What of a page could do harm, or would hinder somebody."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.inline: list[str] = []
        self.addresses: list[str] = []
        self.unlabelled: list[str] = []
        self._labels = 0
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.tags.append(tag)
        self._labels += tag == "label"
        self.inline += [name for name in given if name.startswith("on")]
        self.inline += ["style"] * ("style" in given or tag == "style")
        self.inline += ["script"] * (tag == "script" and "src" not in given)
        self.addresses += [
            given[name] or "" for name in ("href", "src", "action") if name in given
        ]
        shown = tag in {"input", "select"} and given.get("type") != "hidden"
        if shown and not self._labels and "id" not in given:
            self.unlabelled.append(tag)

    def handle_endtag(self, tag: str) -> None:
        self._labels -= tag == "label"


@dataclass
class ListingSpawner(FakeSpawner):
    """Agents that list the worktrees that a test gives them."""

    listed: dict[str, object] = field(default_factory=dict)

    async def call(
        self,
        agent: str,
        name: str,
        parameters: Mapping[str, object],
        *,
        timeout_seconds: float,
    ) -> dict[str, object]:
        told = await super().call(
            agent, name, parameters, timeout_seconds=timeout_seconds
        )
        return self.listed if name == "list_workdirs" else told


@asynccontextmanager
async def visited(
    directory: Path, *, filled: bool = True, **settings: object
) -> AsyncIterator[Control]:
    """Run control with a past, and sign its client in at the dashboard."""
    spawner = ListingSpawner(connected=dict.fromkeys(AGENTS, True))
    parts = Parts(spawner=spawner, token=TOKEN, settings={"usage": USAGE, **settings})
    async with control(directory, parts) as running:
        if filled:
            await running.service.database.do(Filling(time.time()).fill)
        answer = await sign_in(running)
        assert answer.status_code == 303
        yield running


USAGE = {"sample_minutes": 0, "limit_bytes": 3 * 1024**3 // 2}
BEARER = {"Authorization": f"Bearer {TOKEN}"}


async def sign_in(
    running: Control, token: str = TOKEN, leads: str = ""
) -> httpx.Response:
    """Send the form of the sign-in."""
    sent = {"token": token, "next": leads}
    return await running.client.post("/dashboard/sign-in", data=sent)


async def read(running: Control, path: str) -> str:
    """Return a page that is there."""
    answer = await running.client.get(f"/dashboard{path}")
    assert answer.status_code == 200, answer.text
    return answer.text


async def send(
    running: Control, action: str, path: str = "", **fields: str
) -> httpx.Response:
    """Send a form of a page, with the code that the page carries."""
    match = HIDDEN.search(await read(running, path))
    assert match is not None
    sent = {"code": match[1], "next": f"/dashboard{path}", **fields}
    return await running.client.post(f"/dashboard/actions/{action}", data=sent)
