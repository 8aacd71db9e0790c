# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""The report of a sync, from what was seen and what was done."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from agentd.skills.area import STAGING
from agentd.skills.look import Sight
from agentd.skills.manifest import COPY
from agentd.skills.opened import Opened
from agentd.skills.values import (
    BUILT_IN,
    ORG,
    UPLOADED,
    USER,
    Shadowed,
    SkillsReport,
    shown,
)
from agentd.skills.work import Work

MAX_WARNINGS = 200
HIGHEST_FIRST = (ORG, BUILT_IN, UPLOADED, USER)


def report(opened: Opened, sight: Sight, work: Work) -> SkillsReport:
    """Return what is there now, what was done and what could not be."""
    found = opened.found
    user = found[USER].names() | set(work.persisted)
    effective = found[COPY].names() - set(work.removed) | work.put_names
    return SkillsReport(
        built_in=sorted(found[BUILT_IN].names()),
        org=sorted(found[ORG].names()),
        uploaded=sorted(found[UPLOADED].names()),
        user=sorted(user),
        effective=sorted(effective),
        shadowed=[
            *_shadowed(opened, USER, user),
            *_shadowed(opened, UPLOADED, found[UPLOADED].names()),
        ],
        persisted=sorted(work.persisted),
        conflicts=work.conflicts,
        removed=sorted(work.removed),
        warnings=_warnings(opened, sight, work, effective),
        changed=work.changed,
    )


def _shadowed(opened: Opened, tier: str, names: Collection[str]) -> Iterator[Shadowed]:
    """Yield the skills of a tier that one of a higher tier hides."""
    higher = HIGHEST_FIRST[: HIGHEST_FIRST.index(tier)]
    for name in sorted(names):
        winner = next(
            (one for one in higher if name in opened.found[one].names()), None
        )
        if winner is not None:
            place = opened.found[tier].place(name)
            yield Shadowed(name=name, winner=winner, loser=place)


def _warnings(
    opened: Opened, sight: Sight, work: Work, effective: frozenset[str] | set[str]
) -> tuple[str, ...]:
    warnings = [*opened.places.warnings]
    if sight.manifest.damage:
        warnings.append(
            f"The manifest {opened.places.state} could not be used: "
            f"{sight.manifest.damage}. It was written anew."
        )
    warnings += work.warnings
    for area in opened.areas():
        warnings += (
            f"Cannot remove what a former skill left in {STAGING}: {why}. It is tried "
            "again by the next sync."
            for why in area.stuck
        )
    for found in opened.found.values():
        warnings += found.notes()
    for tier in HIGHEST_FIRST:
        for name, tree in opened.found[tier].trees.items():
            if not tree.is_listed:
                place = opened.found[tier].place(name)
                warnings.append(f"{place} has no SKILL.md: the CLI does not list it.")
    for name in sorted(sight.selection or ()):
        if name not in effective:
            warnings.append(f'There is no skill "{name}", which is selected.')
    if len(warnings) > MAX_WARNINGS:
        more = len(warnings) - MAX_WARNINGS
        warnings = [*warnings[:MAX_WARNINGS], f"There are {more} more warnings."]
    return tuple(map(shown, warnings))
