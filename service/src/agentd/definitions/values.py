# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""What is uploaded, and what is told of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from agentd.definitions.resolve import DEFINITION_FILE, SKILL_FILE
from agentd.skills.values import Limits

# What is larger is read neither here nor by an agent, however it came there.
SCANNED = Limits(entries=5000, bytes=64 * 1024 * 1024)


@dataclass(frozen=True)
class Kind:
    """Definitions or skills: word, directory, and the file that each must have."""

    word: str
    directory: str
    main_file: str


AGENTS = Kind("definition", "agents", DEFINITION_FILE)
SKILLS = Kind("skill", "skills", SKILL_FILE)


@dataclass(frozen=True)
class Content:
    """What a file holds, and whether it is a program."""

    data: bytes
    runs: bool = False


Files = Mapping[str, Content]


@dataclass(frozen=True)
class UploadLimits:
    """How much one definition or skill may hold."""

    bytes: int
    files: int


@dataclass(frozen=True)
class File:
    """One file of what is there."""

    path: str
    bytes: int
    runs: bool


@dataclass(frozen=True)
class Entry:
    """A definition or a skill that is there, as every part of agentd resolves it."""

    name: str
    tier: str
    files: tuple[File, ...]
    updated_at: float
    hides_built_in: bool = False
    description: str | None = None
    problem: str | None = None

    @property
    def bytes(self) -> int:
        """Return how many bytes its files have."""
        return sum(file.bytes for file in self.files)
