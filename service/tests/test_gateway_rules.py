# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""Which models an agent may use, what they cost, and when a budget begins anew."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from agentd.credentials.credential import Credential
from agentd.gateway.headers import request_headers
from agentd.gateway.refusal import Refused
from agentd.gateway.rules import (
    Amount,
    budget_status,
    check_model,
    estimate,
    is_spent,
    price_of,
    priced,
    resets_at,
    withheld_betas,
)
from agentd.gateway.scan import Asked
from agentd.gateway.status import Usage
from agentd.gateway_settings import AgentRules, Price

KEY = Credential("api_key", "key")
CHEAP = Price(input=1, output=5, cache_write=1.25, cache_read=0.1)
DEAR = Price(input=5, output=25, cache_write=6.25, cache_read=0.5)
PRICES = {"claude": CHEAP, "claude-opus": DEAR}


@pytest.mark.parametrize(
    ("model", "is_allowed"),
    [
        ("claude-sonnet-4-5", True),
        ("claude-sonnet-4-5-20250929", True),
        ("claude-sonnet-4-5-fast", False),
        ("claude-sonnet-4-50", False),
        ("claude-sonnet-4", False),
        ("claude-opus-4-5", False),
        ("CLAUDE-SONNET-4-5", False),
        ("", False),
    ],
)
def test_a_list_allows_its_models_and_their_dated_releases(
    model: str, is_allowed: bool
) -> None:
    rules = AgentRules(models=["claude-sonnet-4-5[1m]"])

    if is_allowed:
        check_model("mail", model, rules, {})
        return
    with pytest.raises(Refused, match='Agent "mail" may not use the model') as refused:
        check_model("mail", model, rules, {})
    assert refused.value.status == 403
    assert refused.value.kind == "permission_error"
    assert "claude-sonnet-4-5" in str(refused.value)


def test_an_empty_list_allows_nothing() -> None:
    with pytest.raises(Refused, match="allows none"):
        check_model("mail", "claude-x", AgentRules(models=[]), {})


def test_a_model_without_a_price_cannot_be_paid_from_a_budget() -> None:
    rules = AgentRules(budget_usd=1)

    check_model("mail", "claude-x", rules, PRICES)
    with pytest.raises(Refused, match="deployment_prices"):
        check_model("mail", "other", rules, PRICES)


def test_the_longest_name_gives_the_price() -> None:
    assert price_of("claude-opus-4-5", PRICES) is DEAR
    assert price_of("claude-haiku-4-5", PRICES) is CHEAP
    assert price_of("gpt", PRICES) is None


def test_tokens_cost_what_their_kind_costs() -> None:
    tokens = Usage(
        input_tokens=1_000_000,
        output_tokens=100_000,
        cache_creation_input_tokens=10_000,
        cache_read_input_tokens=1_000_000,
    )

    assert priced(tokens, DEAR).cost_usd == pytest.approx(5 + 2.5 + 0.0625 + 0.5)
    assert priced(tokens, None).cost_usd == 0
    assert priced(tokens, None).unpriced_tokens == 2_110_000
    assert priced(tokens, None).for_output()["cost_usd"] is None


def test_a_request_is_taken_for_all_that_it_asks_for() -> None:
    asked = Asked("claude-opus", max_tokens=1000)

    amount = estimate(asked, 2000, DEAR)

    assert amount.tokens == 2000
    assert amount.usd == pytest.approx((1000 * 6.25 + 1000 * 25) / 1_000_000)


def test_a_budget_is_spent_by_dollars_or_by_tokens() -> None:
    rules = AgentRules(budget_usd=1, budget_tokens=100)

    assert not is_spent(rules, Amount(99, 0.99))
    assert is_spent(rules, Amount(100, 0))
    assert is_spent(rules, Amount(0, 1))
    assert is_spent(AgentRules(budget_tokens=0), Amount())
    assert not is_spent(AgentRules(), Amount(10**9, 10**9))


@pytest.mark.parametrize(
    ("period", "now", "then"),
    [
        ("day", (2026, 2, 28, 23, 59), (2026, 3, 1)),
        ("month", (2026, 12, 31, 12, 0), (2027, 1, 1)),
        ("month", (2026, 1, 31, 0, 0), (2026, 2, 1)),
    ],
)
def test_a_period_ends_at_midnight_in_utc(
    period: str, now: tuple[int, ...], then: tuple[int, ...]
) -> None:
    moment = datetime(*now, tzinfo=UTC)  # type: ignore[arg-type,misc]
    wanted = datetime(*then, tzinfo=UTC)  # type: ignore[arg-type,misc]

    assert resets_at(period, moment.timestamp()) == wanted.timestamp()


def test_a_budget_in_all_never_begins_anew() -> None:
    status = budget_status(
        AgentRules(budget_tokens=10, budget_period="total"), Amount(12), 0
    )

    assert status is not None
    assert (status.resets_at, status.tokens_left) == (None, 0)
    assert budget_status(AgentRules(), Amount(), 0) is None


BETAS = [
    (b"Anthropic-Beta", b"effort-2025-11-24, Advisor-Tool-2026-03-01"),
    (b"anthropic-beta", b"server-side-fallback-2026-06-01,fast-mode-2026-02-01"),
]


@pytest.mark.parametrize(
    ("rules", "passed"),
    [
        (AgentRules(), "effort advisor server fast"),
        (AgentRules(models=["claude-x"]), "effort fast"),
        (AgentRules(budget_tokens=1), "effort server"),
        (AgentRules(budget_usd=1, models=["claude-x"]), "effort"),
    ],
)
def test_a_beta_that_goes_around_a_rule_does_not_pass(
    rules: AgentRules, passed: str
) -> None:
    """An advisor is another model, and no token of it stands in the usage."""
    headers = request_headers(BETAS, KEY, withheld=withheld_betas(rules))

    found = b",".join(value for name, value in headers if name == b"anthropic-beta")
    kept = [one.split(b"-")[0].strip().lower().decode() for one in found.split(b",")]
    assert kept == passed.split()


def test_a_header_of_betas_of_which_none_passes_is_left_out() -> None:
    given = [(b"anthropic-beta", b"advisor-tool-2026-03-01")]

    headers = request_headers(given, None, withheld=(b"advisor-tool",))

    assert b"anthropic-beta" not in dict(headers)
