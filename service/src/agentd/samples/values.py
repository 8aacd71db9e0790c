# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""What is taken, by area, and which of it is too much."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from agentd.work_settings import UsageSettings

Level = Literal["ok", "warned", "exceeded", "unknown"]
# In the place of an agent's name: what belongs to the deployment itself.
DEPLOYMENT = ""
UNITS = ("bytes", "KB", "MB", "GB", "TB", "PB")


@dataclass(frozen=True)
class Amount:
    """How many bytes, and how many files."""

    bytes: int = 0
    files: int = 0


@dataclass(frozen=True)
class Usage:
    """What an agent, or the deployment itself, took at a time."""

    at: float
    areas: Mapping[str, Amount] = field(default_factory=dict)
    seconds: float = 0.0
    whole: bool = True
    problems: tuple[str, ...] = ()

    @property
    def total(self) -> Amount:
        """Return all areas together."""
        return Amount(
            bytes=sum(one.bytes for one in self.areas.values()),
            files=sum(one.files for one in self.areas.values()),
        )


@dataclass(frozen=True)
class Sample:
    """What an area took at a time, as it is kept."""

    at: float
    host: str
    agent: str
    area: str
    bytes: int
    files: int


def level_of(usage: Usage | None, settings: UsageSettings) -> Level:
    """Return how what an agent takes stands to what it may take."""
    if usage is None:
        return "unknown"
    taken = usage.total.bytes
    if settings.limit_bytes is not None and taken > settings.limit_bytes:
        return "exceeded"
    if settings.warn_bytes is not None and taken > settings.warn_bytes:
        return "warned"
    return "ok"


def sentence(agent: str, usage: Usage, settings: UsageSettings) -> str | None:
    """Return what is wrong with what an agent takes, or None."""
    level = level_of(usage, settings)
    taken = readable(usage.total.bytes)
    largest = max(usage.areas, key=lambda name: usage.areas[name].bytes, default="none")
    told = f"the most of it as {largest}"
    if level == "exceeded" and settings.limit_bytes is not None:
        return (
            f'Agent "{agent}" takes {taken}, {told}, and no new turn above '
            f"{readable(settings.limit_bytes)} (usage.limit_bytes)."
        )
    if level == "warned" and settings.warn_bytes is not None:
        return (
            f'Agent "{agent}" takes {taken}, {told}: more than '
            f"{readable(settings.warn_bytes)} (usage.warn_bytes)."
        )
    return None


def readable(count: int) -> str:
    """Return a number of bytes for people."""
    size, unit = float(count), 0
    while size >= 999.5 and unit < len(UNITS) - 1:
        size, unit = size / 1000, unit + 1
    return f"{size:.3g} {UNITS[unit]}" if size < 999.5 else f"{size:.0f} {UNITS[unit]}"
