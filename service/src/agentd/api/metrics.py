# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""GET /metrics: a few figures for Prometheus."""

from __future__ import annotations

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

from agentd.conversations.values import Answer

BUCKETS = (0.05, 0.1, 0.5, 1, 5, 15, 60, 300, 1800)

router = APIRouter(tags=["metrics"])


class Metrics:
    """The figures of one running app."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.turns = Counter(
            "agentd_turns",
            "Turns that ended.",
            ["agent", "status"],
            registry=self.registry,
        )
        self.unproved = Counter(
            "agentd_turns_unproved",
            "Successful turns that were not found on disk.",
            ["agent"],
            registry=self.registry,
        )
        self.seconds = Histogram(
            "agentd_turn_seconds",
            "How long turns took.",
            ["agent"],
            buckets=BUCKETS,
            registry=self.registry,
        )
        self.live = Gauge(
            "agentd_live_clients",
            "Claude CLI clients that live.",
            ["agent"],
            registry=self.registry,
        )

    def turn_ended(self, answer: Answer) -> None:
        """Count a turn that ended."""
        self.turns.labels(answer.agent, answer.status).inc()
        self.seconds.labels(answer.agent).observe(answer.duration_ms / 1000)
        if answer.status == "success" and not answer.persisted:
            self.unproved.labels(answer.agent).inc()


@router.get(
    "/metrics",
    response_class=Response,
    responses={200: {"content": {"text/plain": {}}, "description": "The figures."}},
)
async def get_metrics(request: Request) -> Response:
    """Return the figures in Prometheus's text format."""
    service = request.app.state.service
    counts = service.engine.live_counts()
    for agent in service.settings.agents:
        service.metrics.live.labels(agent.name).set(counts.get(agent.name, 0))
    return Response(
        generate_latest(service.metrics.registry), media_type=CONTENT_TYPE_LATEST
    )
