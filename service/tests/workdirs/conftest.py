# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""A world of repositories for each test."""

from __future__ import annotations

from pathlib import Path

import pytest

from .side import Side
from .world import World


@pytest.fixture
def world(tmp_path: Path) -> World:
    """Return work directories and one repository that somebody else pushes to."""
    made = World(tmp_path)
    made.new_repository()
    return made


@pytest.fixture
def side(world: World) -> Side:
    """Return the calls over the world's work directories."""
    return Side(world)
