# Copyright: (c) 2026, The Agentkeep authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which sessions control relies on, from the conversations that it lists."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Iterable, Mapping

from .._errors import ServiceRefused


@dataclass(frozen=True)
class Known:
    """Hold a conversation and the session that it goes on in."""

    conversation: str
    agent: str
    session: str


def known_of(body: Any) -> tuple[Known, ...]:
    """Given an answer that lists conversations, return those that must resume.

    A session of which no turn was ever found on disk was never kept, and one in which
    a turn runs is being written.
    """
    listed = body.get("conversations") if isinstance(body, Mapping) else None
    if not isinstance(listed, list):
        raise ServiceRefused(
            "Cannot list the conversations",
            "the answer is not what agentd answers",
            "Check that url is the address of control and not of something else.",
        )
    return tuple(
        Known(
            conversation=str(one.get("id")),
            agent=str(one.get("agent")),
            session=str(one["session_id"]),
        )
        for one in listed
        if is_kept(one)
    )


def is_kept(conversation: Any) -> bool:
    """Return whether the conversation has a session that must be on disk now."""
    return (
        isinstance(conversation, Mapping)
        and bool(conversation.get("session_id"))
        and conversation.get("status") == "idle"
        # A control that is older than the field keeps what it lists.
        and conversation.get("durable") is not False
    )


def sessions_of(known: Iterable[Known]) -> dict[str, dict[str, str]]:
    """Return the conversation of each session, by agent."""
    found: dict[str, dict[str, str]] = {}
    for one in known:
        found.setdefault(one.agent, {})[one.session] = one.conversation
    return found
