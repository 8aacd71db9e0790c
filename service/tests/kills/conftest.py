# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""How many kills, from which seed, and where the figures go."""

from __future__ import annotations

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """Take the options; they are known where this directory is named to pytest."""
    parser.addoption("--kills", type=int, help="how many processes are killed")
    parser.addoption("--kills-seed", type=int, help="what the random points come from")
    parser.addoption("--kills-report", help="the file that the figures are written to")
    parser.addoption("--kills-keep", help="where all is kept if something was lost")
