# Copyright: (c) 2026, The Agentkeep authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Definitions, skills and webhook settings, as declared and as found."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Any, Mapping

AGENTS, SKILLS, WEBHOOKS = "agents", "skills", "webhooks"
# What the options call them, and the directory that holds them.
KINDS = {"definitions": AGENTS, "skills": SKILLS, "webhooks": WEBHOOKS}
REQUIRED = {AGENTS: "CLAUDE.md", SKILLS: "SKILL.md"}
WEBHOOK_NAMES = ("forgejo", "github", "jira")
MOST_BYTES = 10 * 1024 * 1024
MOST_FILES = 500
DIRECTORY_MODE, FILE_MODE, PROGRAM_MODE = 0o755, 0o644, 0o755
# Agents see the directory too, and these are none of their business.
PRIVATE_DIRECTORY_MODE, PRIVATE_FILE_MODE = 0o700, 0o600


@dataclass(frozen=True)
class Content:
    """Hold what a file has to hold, and with which mode."""

    mode: int
    data: bytes = field(repr=False)

    @property
    def digest(self) -> str:
        """Return the hash of what it holds."""
        return hashlib.sha256(self.data).hexdigest()


@dataclass(frozen=True)
class Item:
    """Hold one declared thing; *files* is None if it has to be absent."""

    kind: str
    name: str
    files: Mapping[str, Content] | None

    @property
    def place(self) -> str:
        """Return its path below the directory of definitions."""
        return f"{self.kind}/{self.name}"


@dataclass(frozen=True)
class Order:
    """Hold what the options ask for, and where and whose it is on this host.

    *root* is the path of the entry below the data root.
    """

    data_root: str
    deployment: str
    root: str
    owner: tuple[int, int]
    items: tuple[Item, ...] = ()
    purge: bool = False
    lock_wait_seconds: int = 60


@dataclass(frozen=True)
class FoundFile:
    """Hold a file that is there; something else than a file has no digest."""

    mode: int
    owner: tuple[int, int]
    digest: str | None


@dataclass(frozen=True)
class Reading:
    """Hold what is there by its place, and the leftovers of a run that was cut off."""

    found: Mapping[str, Mapping[str, FoundFile]]
    leftovers: tuple[str, ...] = ()
    laid_out: bool = True


@dataclass(frozen=True)
class Change:
    """Hold what is done with one thing."""

    action: str
    kind: str
    name: str
    item: Item | None = None

    def for_output(self) -> dict[str, Any]:
        """Return it for the module's result."""
        return {"kind": self.kind, "name": self.name, "action": self.action}
