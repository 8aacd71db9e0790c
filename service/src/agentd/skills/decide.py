# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""What a sync does with one skill: a decision on digests alone.

org > built-in > uploaded > user. The copy in the destination belongs to the tier that
it was put from; what the agent made or edited there is saved before anything takes its
place.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from agentd.skills.manifest import Entry
from agentd.skills.values import BUILT_IN, ORG, UPLOADED, USER

# The digest of what is there and cannot be read: it equals nothing.
UNREADABLE = "?"


class Rescue(StrEnum):
    """How the copy in the destination is saved before it may be replaced."""

    NOTHING = "nothing"
    # It becomes a user skill.
    PERSIST = "persist"
    # It replaces the user skill that it was copied from.
    SAVE_BACK = "save back"
    # It is kept beside: both sides changed, or nobody knows where it came from.
    ASIDE = "aside"


class Act(StrEnum):
    """What happens in the destination."""

    LEAVE = "leave"
    PUT = "put"
    REMOVE = "remove"


@dataclass(frozen=True, kw_only=True)
class Seen:
    """One skill in all places, as digests; None where it is not."""

    org: str | None = None
    built_in: str | None = None
    uploaded: str | None = None
    user: str | None = None
    copy: str | None = None
    entry: Entry | None = None
    selected: bool = True
    # Whether there was a manifest; whether the whole user directory is gone.
    manifest_known: bool = True
    user_directory_gone: bool = False

    @property
    def managed(self) -> bool:
        """Return whether a tier above the agent's own has it."""
        tiers = (self.org, self.built_in, self.uploaded)
        return any(digest is not None for digest in tiers)

    @property
    def claimed(self) -> bool:
        """Return whether what wins cannot be read: then nothing happens to the name."""
        return winner(self, self.user)[1] == UNREADABLE


@dataclass(frozen=True)
class Decision:
    """What to save first, what to do then, and which tier is effective after it."""

    rescue: Rescue
    act: Act
    tier: str | None
    digest: str | None


def decide(seen: Seen) -> Decision:
    """Return what a sync does with this skill."""
    if seen.claimed:
        # Whoever claims the name keeps it, and what was put before stays.
        return Decision(Rescue.NOTHING, Act.LEAVE, None, None)
    saved = rescue(seen)
    becomes_user = saved in (Rescue.PERSIST, Rescue.SAVE_BACK)
    tier, digest = winner(seen, seen.copy if becomes_user else seen.user)
    if tier is None:
        return Decision(saved, _without_winner(seen), None, None)
    act = Act.LEAVE if digest == seen.copy else Act.PUT
    return Decision(saved, act, tier, digest)


def winner(seen: Seen, user: str | None) -> tuple[str | None, str | None]:
    """Return the tier that is effective and its digest."""
    if seen.selected:
        tiers = (
            (ORG, seen.org),
            (BUILT_IN, seen.built_in),
            (UPLOADED, seen.uploaded),
            (USER, user),
        )
        for tier, digest in tiers:
            if digest is not None:
                return tier, digest
    return None, None


def rescue(seen: Seen) -> Rescue:
    """Return how the copy must be saved before it may be replaced or removed."""
    copy = seen.copy
    if copy is None:
        return Rescue.NOTHING
    if copy != UNREADABLE and copy in (
        *(seen.org, seen.built_in, seen.uploaded, seen.user),
    ):
        return Rescue.NOTHING
    if seen.entry is None or not seen.entry.puts:
        return _of_unknown_origin(seen)
    origins = [put.tier for put in seen.entry.puts if put.digest == copy]
    if origins:
        lost = USER in origins and seen.user is None and seen.user_directory_gone
        return Rescue.PERSIST if lost else Rescue.NOTHING
    return _of_edited(seen, seen.entry)


def _of_unknown_origin(seen: Seen) -> Rescue:
    if seen.user is not None:
        return Rescue.ASIDE if seen.selected else Rescue.NOTHING
    if seen.managed and not seen.manifest_known:
        # It may be an older copy of theirs: as a user skill it would come back.
        return Rescue.ASIDE
    return Rescue.PERSIST


def _of_edited(seen: Seen, entry: Entry) -> Rescue:
    if USER not in {put.tier for put in entry.puts}:
        return Rescue.NOTHING
    if entry.pending is not None or entry.put is None:
        return Rescue.ASIDE
    if seen.user == entry.put.digest:
        return Rescue.SAVE_BACK
    if seen.user is None and seen.user_directory_gone:
        return Rescue.PERSIST
    return Rescue.ASIDE


def _without_winner(seen: Seen) -> Act:
    ours = seen.entry is not None and bool(seen.entry.puts)
    if seen.copy is None or (not seen.selected and not ours):
        # A directory that no sync put there is never removed by a selection.
        return Act.LEAVE
    return Act.REMOVE
