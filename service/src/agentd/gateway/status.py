# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""The status document: what the gateway tells control, and nobody else.

Times are seconds since 1970. docs/gateway.md shows the same as JSON.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Literal

State = Literal["ok", "signed_out", "rate_limited", "overloaded", "over_budget"]


@dataclass(frozen=True)
class Usage:
    """Requests, tokens and cost; each number only ever grows."""

    requests: int = 0
    failures: int = 0
    refused: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cache_creation_input_tokens: int = 0
    cache_read_input_tokens: int = 0
    unpriced_tokens: int = 0
    cost_usd: float = 0.0

    def __add__(self, other: Usage) -> Usage:
        """Return both together."""
        return Usage(
            *(getattr(self, name) + getattr(other, name) for name in USAGE_NAMES)
        )

    @property
    def tokens(self) -> int:
        """Return all tokens, whatever they cost."""
        return (
            self.input_tokens
            + self.output_tokens
            + self.cache_creation_input_tokens
            + self.cache_read_input_tokens
        )

    def for_output(self) -> dict[str, object]:
        """Return the numbers; the cost is null if no token had a price."""
        unknown = 0 < self.tokens == self.unpriced_tokens
        return {
            "requests": self.requests,
            "failures": self.failures,
            "refused": self.refused,
            "input_tokens": self.input_tokens,
            "output_tokens": self.output_tokens,
            "cache_creation_input_tokens": self.cache_creation_input_tokens,
            "cache_read_input_tokens": self.cache_read_input_tokens,
            "tokens": self.tokens,
            "unpriced_tokens": self.unpriced_tokens,
            "cost_usd": None if unknown else round(self.cost_usd, 6),
        }


USAGE_NAMES = tuple(one.name for one in fields(Usage))


@dataclass(frozen=True)
class BudgetStatus:
    """What an agent may still spend in this period; null is no limit."""

    period: Literal["day", "month", "total"]
    resets_at: float | None
    usd: float | None
    usd_left: float | None
    tokens: int | None
    tokens_left: int | None

    def for_output(self) -> dict[str, object]:
        """Return the document's form."""
        return {
            "period": self.period,
            "resets_at": self.resets_at,
            "usd": self.usd,
            "usd_left": None if self.usd_left is None else round(self.usd_left, 6),
            "tokens": self.tokens,
            "tokens_left": self.tokens_left,
        }


@dataclass(frozen=True)
class AgentStatus:
    """One agent as the gateway sees it.

    ``since`` is when the state began. ``retry_after`` is the time at which it is
    known to end, or null.
    """

    state: State
    since: float
    retry_after: float | None
    reason: str | None
    sign_in: Literal["gateway", "direct"]
    running: int
    usage: Usage
    budget: BudgetStatus | None

    def for_output(self) -> dict[str, object]:
        """Return the document's form."""
        return {
            "state": self.state,
            "since": self.since,
            "retry_after": self.retry_after,
            "reason": self.reason,
            "sign_in": self.sign_in,
            "running": self.running,
            "usage": self.usage.for_output(),
            "budget": None if self.budget is None else self.budget.for_output(),
        }


@dataclass(frozen=True)
class GatewayStatus:
    """The whole document; ``faults`` are sentences, of what degrades the gateway."""

    upstream: str
    started_at: float
    agents: Mapping[str, AgentStatus] = field(default_factory=dict)
    faults: tuple[str, ...] = ()

    def for_output(self) -> dict[str, object]:
        """Return the document; it is degraded by any fault, or agent that is not ok."""
        well = not self.faults and all(
            agent.state == "ok" for agent in self.agents.values()
        )
        return {
            "status": "ok" if well else "degraded",
            "upstream": self.upstream,
            "started_at": self.started_at,
            "faults": list(self.faults),
            "agents": {name: agent.for_output() for name, agent in self.agents.items()},
        }


@dataclass(frozen=True)
class SessionUsage:
    """What was asked for with one session id; the id is only a hint of the agent's."""

    session_id: str
    first_at: float
    last_at: float
    usage: Usage

    def for_output(self) -> dict[str, object]:
        """Return the document's form."""
        return {
            "session_id": self.session_id,
            "first_at": self.first_at,
            "last_at": self.last_at,
            "usage": self.usage.for_output(),
        }
