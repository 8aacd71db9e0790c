# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""D14: who sets a variable of an earlier system is told what took its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from agentd.agent.boot import STEPS
from agentd.legacy import PLACES, REPLACED, place_warnings, variable_warnings


@pytest.mark.parametrize("name", sorted(REPLACED))
def test_a_variable_is_answered_with_its_replacement_and_not_its_value(
    name: str,
) -> None:
    [warning] = variable_warnings({name: "the-value", "OTHER": "x"})

    assert name in warning and REPLACED[name] in warning
    assert "the-value" not in warning


def test_other_variables_are_none_of_its_business() -> None:
    assert variable_warnings({"PATH": "/bin", "TZ": "UTC", "HOME": "/"}) == []


def test_a_place_that_is_used_is_no_legacy() -> None:
    assert place_warnings([f"{place}/x" for place in PLACES]) == []


def test_the_page_tells_every_variable_and_every_step() -> None:
    """E02, D14, Q10."""
    page = (Path(__file__).parents[2] / "docs" / "boot.md").read_text()
    first = page.partition("## When it does not start")[0]

    assert [name for name in REPLACED if f"`{name}`" not in page] == []
    places = [first.find(f"`{step}`") for step in STEPS]
    assert -1 not in places and places == sorted(places)
