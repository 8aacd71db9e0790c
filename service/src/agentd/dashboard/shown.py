# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""What pages show beside rows of tables: states, links to more, and resumability."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, Literal, TypeVar
from urllib.parse import urlencode

from agentd.api.session_bodies import SessionBody
from agentd.database.dashboard_lists import Page, ShownConversation
from agentd.engine.protocol import Engine

PER_PAGE = 50
MAX_OFFSET = 2**31
Tone = Literal["good", "warn", "bad", "calm", "busy"]
Item = TypeVar("Item")


@dataclass(frozen=True)
class Badge:
    """A state in a word, and how it feels."""

    words: str
    tone: Tone
    why: str = ""


@dataclass(frozen=True)
class Listed(Generic[Item]):
    """One page of a list, and where the pages beside it are."""

    items: Sequence[Item]
    newer: str | None
    older: str | None


@dataclass(frozen=True)
class Found:
    """What a filter holds: only what was chosen."""

    path: str
    chosen: Mapping[str, str | None]

    def link(self, offset: int) -> str:
        """Return the address of the page that begins there."""
        values = {name: value for name, value in self.chosen.items() if value}
        if offset:
            values["offset"] = str(offset)
        return f"{self.path}?{urlencode(values)}" if values else self.path


def asked_page(offset: int) -> Page:
    """Return which rows to read: one more than are shown."""
    return Page(limit=PER_PAGE + 1, offset=offset)


def listed(found: Sequence[Item], page: Page, filtered: Found) -> Listed[Item]:
    """Return what is shown of the rows that were read."""
    older = newer = None
    if page.offset > 0:
        newer = filtered.link(max(page.offset - PER_PAGE, 0))
    if len(found) > PER_PAGE:
        older = filtered.link(page.offset + PER_PAGE)
    return Listed(found[:PER_PAGE], newer, older)


def session_badge(one: ShownConversation, engine: Engine) -> Badge:
    """Return whether a conversation goes on, as far as is known without a look."""
    if one.session_id is None:
        return Badge("fresh", "calm", "The next message begins a new session.")
    if engine.live(one.id) == one.session_id:
        return Badge("live", "good", "A live client holds its session.")
    if one.durable:
        return Badge("resumes", "good", "A turn of its session was found on disk.")
    return Badge("unproved", "warn", "No turn of its session was found on disk yet.")


def looked_badge(session: SessionBody | None) -> Badge | None:
    """Return what a look at the transcript found, or None if nobody knows."""
    if session is None or session.live or session.resumable is None:
        return None
    if session.resumable:
        return Badge("resumes", "good", session.why)
    return Badge("lost", "bad", session.why)


def task_badge(status: str) -> Badge:
    """Return a task's state."""
    tones: dict[str, Tone] = {
        "completed": "good",
        "failed": "bad",
        "running": "busy",
        "cancelled": "warn",
    }
    return Badge(status, tones.get(status, "calm"))


def outcome_badge(outcome: str) -> Badge:
    """Return what became of a webhook."""
    tones: dict[str, Tone] = {
        "dispatched": "good",
        "cleaned": "good",
        "cleaning": "busy",
    }
    return Badge(outcome, tones.get(outcome, "calm"))
