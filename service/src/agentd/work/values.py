# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""What is asked of work directories, and what became of it."""

from __future__ import annotations

from dataclasses import dataclass

from agentd.workdirs.names import RepositoryName


@dataclass(frozen=True)
class Tree:
    """The worktree of a branch, which each agent has for itself."""

    repository: RepositoryName
    branch: str


@dataclass(frozen=True)
class Acquired:
    """A work directory that a turn has for itself: claims of an agent's side.

    ``notices`` are what its people should know, for example where work was saved.
    """

    path: str
    created: bool = False
    fetched: bool = False
    notices: tuple[str, ...] = ()


@dataclass(frozen=True)
class Removed:
    """How many worktrees of an agent were removed, and which are in use."""

    count: int = 0
    busy: tuple[str, ...] = ()
    saved: tuple[str, ...] = ()


@dataclass(frozen=True)
class Wish:
    """What is to be cleaned up: an issue's or a branch's, of one agent or of all."""

    repository: RepositoryName
    issue: str | None = None
    branch: str | None = None
    agent: str | None = None


@dataclass(frozen=True)
class Cleaned:
    """How many were removed, and how many were in use and are removed later."""

    worktrees: int = 0
    sessions: int = 0
    tasks: int = 0
    busy: int = 0


@dataclass(frozen=True)
class Dropped:
    """What a reset removed."""

    worktree: bool = False
    session: bool = False
