# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""How long the run is, from which seed, and where its figures go."""

from __future__ import annotations

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """Take the options; they are known where this directory is named to pytest."""
    parser.addoption("--work-seconds", type=float, help="how long work is given out")
    parser.addoption("--work-seed", type=int, help="what the random points come from")
    parser.addoption("--work-report", help="the file that figures are written to")
