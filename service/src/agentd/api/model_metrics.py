# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""What the gateway told of the model, as figures for Prometheus."""

from __future__ import annotations

from collections.abc import Iterator
from typing import get_args

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from agentd.api.gateway_status import TOKEN_KINDS, GatewayView, ModelState, ModelView

COUNTS = {
    "requests": "Requests that the agent made to the model.",
    "failures": "Requests that the model did not answer as it should.",
    "refused": "Requests that the rules of the agent forbade.",
    "cost_usd": "What the agent's tokens cost in US dollars, where a price is known.",
    "unpriced_tokens": "Tokens of models without a price.",
}


class ModelFigures(Collector):
    """The last view of the gateway; its numbers grow over restarts by themselves."""

    def __init__(self) -> None:
        self.view = GatewayView(asked=False)

    def describe(self) -> list[Metric]:
        """Return nothing: what is told depends on the gateway."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Yield the figures, or only that the gateway does not tell any."""
        if not self.view.asked:
            return
        yield GaugeMetricFamily(
            "agentd_gateway_up",
            "Whether the gateway tells its state.",
            value=float(self.view.reachable),
        )
        if self.view.reachable:
            yield from self._counts()
            yield self._tokens()
            yield self._states()
            yield from self._budgets()

    def _counts(self) -> Iterator[Metric]:
        for name, said in COUNTS.items():
            family = CounterMetricFamily(f"agentd_model_{name}", said, labels=["agent"])
            for agent, one in self.view.agents.items():
                if name in one.numbers:
                    family.add_metric([agent], one.numbers[name])
            yield family

    def _tokens(self) -> Metric:
        family = CounterMetricFamily(
            "agentd_model_tokens", "Tokens, by kind.", labels=["agent", "kind"]
        )
        for agent, one in self.view.agents.items():
            for kind, key in TOKEN_KINDS.items():
                family.add_metric([agent, kind], one.numbers.get(key, 0.0))
        return family

    def _states(self) -> Metric:
        family = GaugeMetricFamily(
            "agentd_model_state",
            "1 for the state that the agent is in with the model.",
            labels=["agent", "state"],
        )
        for agent, one in self.view.agents.items():
            for state in get_args(ModelState):
                family.add_metric([agent, state], float(one.state == state))
        return family

    def _budgets(self) -> Iterator[Metric]:
        for unit in ("usd", "tokens"):
            family = GaugeMetricFamily(
                f"agentd_model_budget_{unit}_left",
                "What is left of the agent's budget in this period.",
                labels=["agent"],
            )
            for agent, one in self.view.agents.items():
                left = _left(one, unit)
                if left is not None:
                    family.add_metric([agent], left)
            yield family


def _left(one: ModelView, unit: str) -> float | None:
    left = (one.budget or {}).get(f"{unit}_left")
    return left if isinstance(left, float) else None
