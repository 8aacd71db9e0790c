# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Halves of sessions: an id without a transcript, a transcript without an id."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass


@dataclass(frozen=True)
class Halves:
    """The session ids of one agent that have no other half, in order."""

    without_transcript: tuple[str, ...]
    without_id: tuple[str, ...]


def halves(stored: Collection[str], on_disk: Collection[str]) -> Halves:
    """Return what is missing on either side.

    ``stored`` are the ids that conversations have and that were proved on disk once;
    ``on_disk`` the ids of transcripts.
    """
    return Halves(
        without_transcript=tuple(sorted(set(stored) - set(on_disk))),
        without_id=tuple(sorted(set(on_disk) - set(stored))),
    )
