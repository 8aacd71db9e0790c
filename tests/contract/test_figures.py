# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Every figure that control gives is on the page for operators, and no other."""

from __future__ import annotations

import re

from working_tree import ROOT

from agentd.api.gateway_status import GatewayView, ModelView
from agentd.api.metrics import Metrics

PAGE = (ROOT / "docs" / "operating.md").read_text(encoding="utf-8")


def given() -> set[str]:
    """Return the names of all figures, those of the gateway with them."""
    metrics = Metrics()
    budget = {"usd_left": 1.0, "tokens_left": 1.0}
    numbers = dict.fromkeys(("requests", "failures", "refused", "cost_usd"), 1.0)
    model = ModelView("ok", numbers=numbers, budget=budget)
    metrics.model.view = GatewayView(True, reachable=True, agents={"main": model})
    return {
        family.name + ("_total" if family.type == "counter" else "")
        for family in metrics.registry.collect()
    }


def test_the_page_names_every_figure() -> None:
    table = PAGE.partition("## Figures")[2].partition("\n## ")[0]

    assert set(re.findall(r"`(agentd_\w+)`", table)) == given()
