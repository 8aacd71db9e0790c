# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""The figures of the queue, for Prometheus."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from agentd.errors import DatabaseFailed
from agentd.queue.queue import Queue
from agentd.queue.values import Task, TaskEnd

ASK_SECONDS = 3.0
WAIT_BUCKETS = (0.01, 0.05, 0.25, 1, 5, 30, 300, 3600)
RUN_BUCKETS = (0.1, 1, 5, 15, 60, 300, 1800, 3600)
# An item's source is written by whoever reaches Redis, so that it is no label.
AGENT = ("agent",)


@dataclass(frozen=True)
class QueueView:
    """How the queue is now, as far as it could be asked."""

    up: bool = False
    length: int = -1
    queued: Mapping[str, int] = field(default_factory=dict)
    running: Mapping[str, int] = field(default_factory=dict)
    dead: int | None = None


class QueueFigures:
    """Counts what becomes of tasks; it watches the queue."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.ended = Counter(
            "agentd_tasks",
            "Tasks that ended here.",
            ("agent", "status"),
            registry=registry,
        )
        self.waited = Histogram(
            "agentd_task_wait_seconds",
            "How long tasks waited since they could have begun.",
            AGENT,
            buckets=WAIT_BUCKETS,
            registry=registry,
        )
        self.ran = Histogram(
            "agentd_task_run_seconds",
            "How long tasks ran.",
            AGENT,
            buckets=RUN_BUCKETS,
            registry=registry,
        )
        self.dead_items = Counter(
            "agentd_queue_dead_items",
            "What came through the queue and was no task.",
            registry=registry,
        )
        self._gauges(registry)

    def _gauges(self, registry: CollectorRegistry) -> None:
        self.up = Gauge(
            "agentd_queue_up", "Whether the queue can be reached.", registry=registry
        )
        self.length = Gauge(
            "agentd_queue_length",
            "Tasks that wait, on all hosts; -1 while the queue cannot be reached.",
            registry=registry,
        )
        self.queued = Gauge(
            "agentd_tasks_queued",
            "Tasks that wait, on all hosts.",
            AGENT,
            registry=registry,
        )
        self.running = Gauge(
            "agentd_tasks_running", "Tasks that run here.", AGENT, registry=registry
        )
        self.readers = Gauge(
            "agentd_output_readers",
            "Who follows the output of tasks here.",
            registry=registry,
        )

    def task_started(self, task: Task, waited_seconds: float) -> None:
        """Count how long a task waited."""
        self.waited.labels(task.agent).observe(waited_seconds)

    def task_ended(self, task: Task, end: TaskEnd, seconds: float) -> None:
        """Count a task that ended, and how long it ran."""
        self.ended.labels(task.agent, end.status).inc()
        if task.started_at is not None:
            self.ran.labels(task.agent).observe(seconds)

    def item_dead(self, source: str) -> None:
        """Count something that was no task."""
        self.dead_items.inc()

    def show(self, view: QueueView, agents: Iterable[str]) -> None:
        """Take over how the queue is now."""
        self.up.set(view.up)
        self.length.set(view.length)
        for agent in agents:
            self.running.labels(agent).set(view.running.get(agent, 0))
            self.queued.labels(agent).set(view.queued.get(agent, 0))


async def queue_view(queue: Queue) -> QueueView:
    """Ask the queue how it is; what cannot be asked in time is not up."""
    try:
        async with asyncio.timeout(ASK_SECONDS):
            state = await queue.state()
            queued = await queue.queued()
    except (DatabaseFailed, TimeoutError):
        return QueueView()
    return QueueView(
        up=state.reachable,
        length=state.length,
        queued=queued,
        running=state.running,
        dead=state.dead,
    )
