# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""The page on faults lists those that the integration test injects, and no other."""

from __future__ import annotations

from fault_deployment import FAULTS
from fault_table import row
from working_tree import ROOT


def test_the_page_lists_every_fault_as_it_is_found_and_healed() -> None:
    page = (ROOT / "docs/faults.md").read_text(encoding="utf-8")
    _head, _sign, table = page.partition("| field | what was done | found as |")

    rows = [line for line in table.splitlines()[2:] if line.startswith("| ")]

    assert rows == [row(fault) for fault in FAULTS]
