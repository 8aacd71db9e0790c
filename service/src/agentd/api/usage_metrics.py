# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""What is taken, for Prometheus: as it was seen last."""

from __future__ import annotations

from collections.abc import Mapping

from prometheus_client import CollectorRegistry, Gauge

from agentd.samples.values import Usage

LABELS = ("agent", "area")


class UsageFigures:
    """Shows what each agent takes; the deployment itself has no agent."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._bytes = Gauge(
            "agentd_usage_bytes", "Bytes on disk.", LABELS, registry=registry
        )
        self._files = Gauge(
            "agentd_usage_files", "Files on disk.", LABELS, registry=registry
        )
        self._at = Gauge(
            "agentd_usage_timestamp_seconds",
            "When they were counted.",
            ("agent",),
            registry=registry,
        )

    def show(self, known: Mapping[str, Usage]) -> None:
        """Take over what each was seen to take last."""
        for agent, usage in known.items():
            self._at.labels(agent).set(usage.at)
            for area, amount in usage.areas.items():
                self._bytes.labels(agent, area).set(amount.bytes)
                self._files.labels(agent, area).set(amount.files)
