# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Every test under tests/ can import the collection and sees no one's environment."""

from __future__ import annotations

import os

import pytest
from link_collection import link

link()


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in list(os.environ):
        if variable.startswith(("AGENTD_", "ANTHROPIC_", "CLAUDE")):
            monkeypatch.delenv(variable)
