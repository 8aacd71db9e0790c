# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""What an agent may ask of the model, and what it costs: decisions over values."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from agentd.gateway.refusal import AT_ONCE, Refused
from agentd.gateway.scan import Asked
from agentd.gateway.status import BudgetStatus, Usage
from agentd.gateway_settings import AgentRules, Price

MILLION = 1_000_000
BYTES_PER_TOKEN = 2
# So many requests of an agent may run together where their reservations do not fit.
MAX_BEYOND_BUDGET = 4

# With these a request uses a model that its "model" does not name and whose tokens
# its usage does not count (advisor-tool), or the same tokens cost more (fast-mode).
UNCOUNTED_BETAS = (b"advisor-tool", b"fast-mode")
OTHER_MODEL_BETAS = (b"advisor-tool", b"server-side-fallback")

_DATED = re.compile(r"-\d{8}")
_LONG_CONTEXT = "[1m]"


@dataclass(frozen=True)
class Amount:
    """Tokens and US dollars: spent, reserved, or left."""

    tokens: int = 0
    usd: float = 0.0

    def __add__(self, other: Amount) -> Amount:
        return Amount(self.tokens + other.tokens, self.usd + other.usd)

    def __sub__(self, other: Amount) -> Amount:
        return Amount(self.tokens - other.tokens, self.usd - other.usd)


def check_model(
    agent: str, model: str, rules: AgentRules, prices: Mapping[str, Price]
) -> None:
    """Raise Refused if the agent may not use the model."""
    if rules.models is not None and not any(_is(model, one) for one in rules.models):
        allowed = ", ".join(rules.models) or "none"
        raise Refused(
            403,
            "permission_error",
            f'Agent "{agent}" may not use the model "{model}": the rule "models" '
            f"of this agent allows {allowed}. Choose one of these, or add the model "
            "to models of the agent in deployment_agents.",
        )
    if rules.budget_usd is not None and price_of(model, prices) is None:
        raise Refused(
            403,
            "permission_error",
            f'Agent "{agent}" may not use the model "{model}": the agent has a '
            "budget in US dollars and the model has no price, so that nobody could "
            "tell what is spent. Add the model to deployment_prices.",
        )


def _is(model: str, allowed: str) -> bool:
    """Return whether a model is the allowed one, or a dated release of it."""
    allowed = allowed.removesuffix(_LONG_CONTEXT)
    rest = model[len(allowed) :]
    return model.startswith(allowed) and (not rest or bool(_DATED.fullmatch(rest)))


def price_of(model: str, prices: Mapping[str, Price]) -> Price | None:
    """Return the price with the longest name that the model's name begins with."""
    found = [name for name in prices if model.startswith(name)]
    return prices[max(found, key=len)] if found else None


def priced(tokens: Usage, price: Price | None) -> Usage:
    """Return the tokens with what they cost."""
    if price is None:
        return tokens + Usage(unpriced_tokens=tokens.tokens)
    cost = (
        tokens.input_tokens * price.input
        + tokens.output_tokens * price.output
        + tokens.cache_creation_input_tokens * price.cache_write
        + tokens.cache_read_input_tokens * price.cache_read
    )
    return tokens + Usage(cost_usd=cost / MILLION)


def estimate(asked: Asked, body_bytes: int, price: Price | None) -> Amount:
    """Return what a request is taken to use until its answer says it."""
    tokens = body_bytes // BYTES_PER_TOKEN
    if price is None:
        return Amount(tokens + asked.max_tokens)
    dearest = max(price.input, price.cache_write)
    cost = (tokens * dearest + asked.max_tokens * price.output) / MILLION
    return Amount(tokens + asked.max_tokens, cost)


def withheld_betas(rules: AgentRules) -> tuple[bytes, ...]:
    """Return how the betas begin that would go around the rules."""
    has_budget = rules.budget_usd is not None or rules.budget_tokens is not None
    by_budget = UNCOUNTED_BETAS if has_budget else ()
    return by_budget + (OTHER_MODEL_BETAS if rules.models is not None else ())


def is_spent(rules: AgentRules, spent: Amount) -> bool:
    """Return whether nothing is left of a budget."""
    return (rules.budget_usd is not None and spent.usd >= rules.budget_usd) or (
        rules.budget_tokens is not None and spent.tokens >= rules.budget_tokens
    )


def over_budget(agent: str, rules: AgentRules, spent: Amount, now: float) -> Refused:
    """Return the refusal of a request for which nothing is left."""
    limits = []
    if rules.budget_usd is not None and spent.usd >= rules.budget_usd:
        limits.append(f"{spent.usd:.2f} of {rules.budget_usd:.2f} US dollars")
    if rules.budget_tokens is not None and spent.tokens >= rules.budget_tokens:
        limits.append(f"{spent.tokens} of {rules.budget_tokens} tokens")
    resets = resets_at(rules.budget_period, now)
    when = "" if resets is None else f" It begins anew at {_utc(resets)}."
    period = {"day": "today", "month": "this month", "total": "in all"}
    return Refused(
        402,
        "billing_error",
        f'Agent "{agent}" has used up its budget: {" and ".join(limits)} '
        f"{period[rules.budget_period]}.{when} To go on now, raise budget_usd or "
        "budget_tokens of the agent in deployment_agents.",
        AT_ONCE,
    )


def budget_status(rules: AgentRules, spent: Amount, now: float) -> BudgetStatus | None:
    """Return what is left of an agent's budget; None if it has none."""
    usd, tokens = rules.budget_usd, rules.budget_tokens
    if usd is None and tokens is None:
        return None
    return BudgetStatus(
        period=rules.budget_period,
        resets_at=resets_at(rules.budget_period, now),
        usd=usd,
        usd_left=None if usd is None else max(0.0, usd - spent.usd),
        tokens=tokens,
        tokens_left=None if tokens is None else max(0, tokens - spent.tokens),
    )


def day_of(now: float) -> str:
    """Return the day in UTC, such as 2026-01-31."""
    return datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%d")


def resets_at(period: str, now: float) -> float | None:
    """Return when the next day or month begins, in UTC."""
    today = datetime.fromtimestamp(now, UTC)
    midnight = today.replace(hour=0, minute=0, second=0, microsecond=0)
    if period == "day":
        return midnight.timestamp() + 86_400
    if period == "month":
        year, month = divmod(today.year * 12 + today.month, 12)
        return midnight.replace(year=year, month=month + 1, day=1).timestamp()
    return None


def _utc(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%d %H:%M UTC")
