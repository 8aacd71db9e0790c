# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""How many workers are killed, from which seed, and where the figures go."""

from __future__ import annotations

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """Take the options; they are known where this directory is named to pytest."""
    parser.addoption("--faults-kills", type=int, help="how many workers are killed")
    parser.addoption("--faults-seed", type=int, help="what the random points come from")
    parser.addoption("--faults-report", help="where the files with figures are written")
