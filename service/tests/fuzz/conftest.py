# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""How long the API is fuzzed: shortly by default, as long as told by nox -s fuzz."""

from __future__ import annotations

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """Take the time that fuzzing may take."""
    parser.addoption("--fuzz-seconds", type=int, help="for how long the API is fuzzed")
