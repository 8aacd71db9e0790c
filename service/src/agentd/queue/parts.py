# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""What the queue works with, and what it tells of itself."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol

from agentd.clock import Clock
from agentd.database.open import Database
from agentd.output.protocol import Output
from agentd.queue.values import Task, TaskEnd, TaskRunner
from agentd.settings import ControlSettings

QueueKind = Literal["database", "redis", "sentinel", "cluster"]


class HostPresence(Protocol):
    """Who this host is among those that share the database."""

    @property
    def name(self) -> str:
        """The name of this host."""

    @property
    def instance(self) -> str:
        """The id of this process; no other process ever has it."""

    @property
    def alone(self) -> bool:
        """Whether no other host can have this database."""

    def lost(self) -> Collection[str]:
        """Return the names of the hosts that give no sign of life."""

    def hosts(self) -> Mapping[str, object]:
        """Return the hosts that were seen, this one among them, by name."""


class QueueWatch(Protocol):
    """Who is told of what becomes of tasks, e.g. to count; never waits nor raises."""

    def task_started(self, task: Task, waited_seconds: float) -> None:
        """Note that a task is run, and how long it waited since it could have been."""

    def task_ended(self, task: Task, end: TaskEnd, seconds: float) -> None:
        """Note that a task ended, and how long it ran."""

    def item_dead(self, source: str) -> None:
        """Note that something came that is no task."""


class NoWatch:
    """Counts nothing."""

    def task_started(self, task: Task, waited_seconds: float) -> None:
        """Do nothing."""

    def task_ended(self, task: Task, end: TaskEnd, seconds: float) -> None:
        """Do nothing."""

    def item_dead(self, source: str) -> None:
        """Do nothing."""


@dataclass(frozen=True)
class QueueParts:
    """The edges that the queue meets."""

    settings: ControlSettings
    database: Database
    presence: HostPresence
    output: Output
    clock: Clock
    runner: TaskRunner
    watch: QueueWatch = field(default_factory=NoWatch)


@dataclass(frozen=True)
class QueueState:
    """How the queue is, for the health and the metrics.

    ``length`` is how many tasks wait, and -1 while Redis cannot be reached.
    """

    kind: QueueKind
    reachable: bool
    length: int
    dead: int
    paused: bool
    running: Mapping[str, int]
    problem: str | None = None
