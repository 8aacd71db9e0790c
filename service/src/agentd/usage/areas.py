# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""The areas of an agent's state, and how much each takes."""

from __future__ import annotations

import itertools
import os
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass

from agentd.usage.walk import Amount, Bounds, Walk

AREAS = ("memory", "transcripts", "skill_data", "definitions", "caches", "trees")
PROJECTS = "projects"
CLONES = "repos"
MOST_FORGES = 64


@dataclass(frozen=True)
class Places:
    """Where an agent has its state."""

    working: str
    config: str
    skill_data: str
    definitions: str
    workdirs: str


@dataclass(frozen=True)
class Measure:
    """What an agent's state takes by area, and what could not be counted."""

    areas: Mapping[str, Amount]
    seconds: float
    whole: bool
    problems: tuple[str, ...]

    def for_output(self) -> Mapping[str, object]:
        """Return what control is told."""
        return {
            "areas": {
                name: {"bytes": amount.bytes, "files": amount.files}
                for name, amount in self.areas.items()
            },
            "seconds": round(self.seconds, 6),
            "whole": self.whole,
            "problems": list(self.problems),
        }


def measure(places: Places, bounds: Bounds) -> Measure:
    """Given an agent's places, return what each area takes; never raise OSError."""
    started = time.monotonic()
    areas = areas_of(places)
    walk = Walk(areas, bounds)
    for path, area in areas.items():
        # What lies in another place is counted on the way through that.
        if not any(is_below(path, other) for other in areas):
            walk.add(path, area)
    return Measure(
        areas={name: walk.amounts.get(name, Amount()) for name in AREAS},
        seconds=time.monotonic() - started,
        whole=walk.whole,
        problems=tuple(walk.problems),
    )


def areas_of(places: Places) -> dict[str, str]:
    """Return the area of each path that has one, the outer ones first."""
    workdirs = os.path.normpath(places.workdirs)
    config = os.path.normpath(places.config)
    return {
        os.path.normpath(places.working): "memory",
        config: "memory",
        f"{config}/{PROJECTS}": "transcripts",
        os.path.normpath(places.skill_data): "skill_data",
        os.path.normpath(places.definitions): "definitions",
        workdirs: "trees",
        **{f"{workdirs}/{name}/{CLONES}": "caches" for name in _forges(workdirs)},
    }


def is_below(path: str, other: str) -> bool:
    """Return whether a path lies in another one."""
    return path.startswith(f"{other}/")


def _forges(workdirs: str) -> list[str]:
    with suppress(OSError), os.scandir(workdirs) as entries:
        return [entry.name for entry in itertools.islice(entries, MOST_FORGES)]
    return []
