# Copyright: (c) 2026, The Agentkeep authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is returned of all sessions of a deployment, and what is warned of."""

from __future__ import annotations

from typing import Any, Mapping, Sequence

from .halves import Kept, together
from .read import Reading

MOST_WARNINGS = 20


def report_of(readings: Sequence[Reading], answer: Kept | None) -> Mapping[str, Any]:
    """Given what was read and what the service keeps, return the module's result."""
    unread = {one.place.agent for one in readings if not one.whole}
    looked = {one.place.agent for one in readings} - unread
    found = together(
        [one for reading in readings for one in reading.transcripts],
        answer,
        frozenset(agent for agent in looked if agent is not None),
    )
    return {
        **found.for_output(),
        "places": [_place(one) for one in readings],
        "warnings": [*_warnings(readings), *_lost(found.for_output()["lost"])],
    }


def _place(reading: Reading) -> Mapping[str, Any]:
    return {
        **reading.place.for_output(),
        "transcripts": len(reading.transcripts),
        "left_out": reading.left_out,
        "error": reading.error,
    }


def _warnings(readings: Sequence[Reading]) -> list[str]:
    warnings = [one.error for one in readings if one.error is not None]
    warnings += [
        f'{one.left_out} transcripts in "{one.place.shown}" were not looked at. '
        "Raise most_transcripts or scan_timeout_seconds."
        for one in readings
        if one.left_out
    ]
    return warnings


def _lost(lost: Sequence[Mapping[str, Any]]) -> list[str]:
    told = [
        f'Conversation {one["conversation_id"]} of agent "{one["agent"]}" cannot go on '
        f"in session {one['session_id']}: {one['why']}."
        for one in lost[:MOST_WARNINGS]
    ]
    if len(lost) > MOST_WARNINGS:
        told.append(f"{len(lost) - MOST_WARNINGS} more cannot go on.")
    return told
