# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""D14: who sets a variable of an earlier system is told what took its place."""

from __future__ import annotations

import pytest

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
