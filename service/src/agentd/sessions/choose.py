# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""How a turn goes on in a conversation: resumed, or in a new session, and why."""

from __future__ import annotations

from dataclasses import dataclass

from agentd.sessions.identity import StoredSession

LOST = (
    'The session of this conversation is no longer on the disk of agent "{agent}": '
    "this turn began a new session that does not remember the earlier turns. "
    "Restore the agent's memory from a backup to get them back."
)
FOREIGN = (
    "The transcript of this conversation's session holds the lines of another "
    "session: this turn began a new session that does not remember the earlier turns. "
    'Put the right file back into the memory of agent "{agent}".'
)
REFUSED = (
    "The session of this conversation is on disk, but the CLI could not resume it: "
    "this turn began a new session that does not remember the earlier turns. "
    'Look for a damaged or unreadable transcript in the memory of agent "{agent}".'
)
UNPROVED = (
    'This turn could not be proved to be on the disk of agent "{agent}": '
    "it may be forgotten after a restart. Check that agent's health."
)
ROTATED = (
    "This turn began a new session that does not remember the earlier turns: of the "
    "session before, {reason}. Its transcript stays on disk."
)
MOVED = (
    'The session of this conversation was begun in "{before}", and agent "{agent}" '
    'now works in "{now}": paths that were said earlier may no longer be right. '
    "Set its working directory back, or say the new paths."
)


@dataclass(frozen=True)
class Choice:
    """The session in which a turn runs, whether it is resumed, and what to tell."""

    session_id: str
    resume: bool
    notice: str | None = None


@dataclass(frozen=True)
class Found:
    """What is known before a turn: the stored session, its transcript, its place.

    ``rotation`` is why the session is to be followed by a new one, if it is; a
    ``foreign`` transcript has the session's name and only lines of others.
    """

    agent: str
    stored: StoredSession | None
    transcript_exists: bool
    working_directory: str | None = None
    rotation: str | None = None
    foreign: bool = False


def choose(found: Found, fresh_id: str) -> Choice:
    """Return the session for a turn.

    A stored id whose first turn never reached the disk is used again: nothing
    was lost, and the id that was told to the caller stays true.
    """
    if found.stored is None:
        return Choice(fresh_id, resume=False)
    if found.rotation is not None:
        notice = ROTATED.format(reason=found.rotation)
        return Choice(fresh_id, resume=False, notice=notice)
    if found.foreign:
        # To resume it would go on as somebody else.
        notice = FOREIGN.format(agent=found.agent)
        return Choice(fresh_id, resume=False, notice=notice)
    if found.transcript_exists:
        return Choice(found.stored.session_id, resume=True, notice=_moved(found))
    if found.stored.durable:
        return Choice(fresh_id, resume=False, notice=LOST.format(agent=found.agent))
    return Choice(found.stored.session_id, resume=False)


def after_not_found(agent: str, fresh_id: str) -> Choice:
    """Return the one further try after the CLI did not find the session."""
    return Choice(fresh_id, resume=False, notice=REFUSED.format(agent=agent))


def after_in_use(choice: Choice) -> Choice:
    """Return the one further try after the CLI found the new id in use."""
    return Choice(choice.session_id, resume=True, notice=choice.notice)


def join_notices(*notices: str | None) -> str | None:
    """Return what is to be told in one text, or None if there is nothing."""
    told = [notice for notice in notices if notice]
    return " ".join(told) or None


def _moved(found: Found) -> str | None:
    before = None if found.stored is None else found.stored.working_directory
    now = found.working_directory
    if before is None or now is None or before == now:
        return None
    return MOVED.format(agent=found.agent, before=before, now=now)
