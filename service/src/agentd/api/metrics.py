# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""GET /metrics: the figures for Prometheus."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from fastapi import APIRouter, Request
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
)
from starlette.responses import Response

from agentd.api.errors import refusals
from agentd.api.model_metrics import ModelFigures
from agentd.api.probes import AgentProbe
from agentd.api.queue_metrics import QueueFigures, queue_view
from agentd.api.skill_reports import ExpectedSkills
from agentd.api.usage_metrics import UsageFigures
from agentd.conversations.values import Answer

if TYPE_CHECKING:
    from agentd.api.state import Service

TURN_BUCKETS = (0.05, 0.1, 0.5, 1, 5, 15, 60, 300, 1800)
START_BUCKETS = (0.25, 0.5, 0.75, 1, 2, 5, 15, 60)
AGENT = ("agent",)

router = APIRouter(tags=["metrics"])


class Metrics:
    """The figures of one running app; it watches turns and live clients."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.model = ModelFigures()
        self.registry.register(self.model)
        self.queue = QueueFigures(self.registry)
        self.usage = UsageFigures(self.registry)
        self._seen_sweeps: dict[str, float] = {}
        self._of_turns()
        self._of_clients()
        self._of_agents()

    def _of_turns(self) -> None:
        self.turns = self._counter(
            "turns", "Turns that ended.", labels=("agent", "status")
        )
        self.unproved = self._counter(
            "turns_unproved", "Successful turns that were not found on disk."
        )
        self.seconds = self._histogram(
            "turn_seconds", "How long turns took.", TURN_BUCKETS
        )
        self.waiting_turns = self._gauge(
            "waiting_turns", "Turns that wait for a client.", labels=()
        )
        self.mirror_errors = self._counter(
            "mirror_errors",
            "How often a transcript could not be kept in the database; what is "
            "missing there is brought in at the end of the turn or before the next.",
            labels=(),
        )

        self.webhooks = self._counter(
            "webhooks",
            "Webhooks that came: what became of them, or refused.",
            labels=("source", "outcome"),
        )

    def _of_clients(self) -> None:
        self.live = self._gauge("live_clients", "Claude CLI clients that live.")
        self.starts = self._counter("client_starts", "Claude CLI clients that started.")
        self.start_seconds = self._histogram(
            "client_start_seconds", "How long a client took to start.", START_BUCKETS
        )
        self.ends = self._counter(
            "client_ends", "Claude CLI clients that ended.", labels=("agent", "why")
        )

    def _of_agents(self) -> None:
        self.sweeps = self._counter(
            "retention_sweeps", "Sweeps of old transcripts that the CLI was seen to do."
        )
        self.swept_at = self._gauge(
            "retention_swept_timestamp_seconds", "When the CLI swept last."
        )
        self.connected = self._gauge("agent_connected", "Whether the agent is there.")
        self.unproved_now = self._gauge(
            "agent_unproved", "Whether the agent's last turn was not found on disk."
        )
        self.missing_skills = self._gauge(
            "skills_missing", "Skills that the CLI should have and did not report."
        )

    def turn_ended(self, answer: Answer) -> None:
        """Count a turn that ended."""
        self.turns.labels(answer.agent, answer.status).inc()
        self.seconds.labels(answer.agent).observe(answer.duration_ms / 1000)
        if answer.status == "success" and not answer.persisted:
            self.unproved.labels(answer.agent).inc()

    def webhook_came(self, source: str, outcome: str) -> None:
        """Count a webhook that was taken, or refused for its signature."""
        self.webhooks.labels(source, outcome).inc()

    def client_started(self, agent: str, seconds: float) -> None:
        """Count a client that is ready, and how long its start took."""
        self.starts.labels(agent).inc()
        self.start_seconds.labels(agent).observe(seconds)

    def client_ended(self, agent: str, why: str) -> None:
        """Count a client that is gone."""
        self.ends.labels(agent, why).inc()

    def waiting(self, count: int) -> None:
        """Note how many turns wait for a client now."""
        self.waiting_turns.set(count)

    def probed(self, probes: Mapping[str, AgentProbe]) -> None:
        """Note what the agents told of the CLI's sweeps."""
        for agent, probe in probes.items():
            at = probe.retention_swept_at
            if at is None:
                continue
            self.swept_at.labels(agent).set(at)
            seen = self._seen_sweeps.get(agent)
            self._seen_sweeps[agent] = at
            # The first one that is seen may be of long ago.
            if seen is None:
                self.sweeps.labels(agent)
            elif at > seen:
                self.sweeps.labels(agent).inc()

    def _counter(
        self, name: str, said: str, *, labels: tuple[str, ...] = AGENT
    ) -> Counter:
        return Counter(f"agentd_{name}", said, labels, registry=self.registry)

    def _gauge(self, name: str, said: str, *, labels: tuple[str, ...] = AGENT) -> Gauge:
        return Gauge(f"agentd_{name}", said, labels, registry=self.registry)

    def _histogram(self, name: str, said: str, buckets: tuple[float, ...]) -> Histogram:
        return Histogram(
            f"agentd_{name}", said, AGENT, buckets=buckets, registry=self.registry
        )


class TurnWatches:
    """Tells the figures and the skills of each turn that ended."""

    def __init__(self, metrics: Metrics, expected: ExpectedSkills) -> None:
        self._metrics = metrics
        self._expected = expected

    def turn_ended(self, answer: Answer) -> None:
        """Count a turn, and compare the skills that it had."""
        self._metrics.turn_ended(answer)
        self._expected.reported(answer.agent, answer.skills)


@router.get(
    "/metrics",
    response_class=Response,
    responses={
        200: {"content": {"text/plain": {}}, "description": "The figures."},
        **refusals(401),
    },
)
async def get_metrics(request: Request) -> Response:
    """Return the figures in Prometheus's text format."""
    service: Service = request.app.state.service
    metrics = service.metrics
    metrics.probed(await service.probes.all())
    metrics.model.view = await service.gateway.view()
    names = [agent.name for agent in service.settings.agents]
    metrics.queue.show(await queue_view(service.queue), names)
    metrics.queue.readers.set(service.joined.count)
    metrics.usage.show(service.usage.known())
    counts = service.engine.live_counts()
    states = service.spawner.states()
    unproved = service.turns.unproved_agents()
    for name in names:
        metrics.live.labels(name).set(counts.get(name, 0))
        metrics.connected.labels(name).set(states[name].connected)
        metrics.unproved_now.labels(name).set(name in unproved)
        metrics.missing_skills.labels(name).set(len(service.expected.missing(name)))
    return Response(generate_latest(metrics.registry), media_type=CONTENT_TYPE_LATEST)
