# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""A world of skills for each test."""

from __future__ import annotations

from pathlib import Path

import pytest

from .world import World


@pytest.fixture
def world(tmp_path: Path) -> World:
    """Empty directories, as a first boot finds them."""
    return World(tmp_path).lay_out()


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    """A file outside every directory of skills."""
    path = tmp_path / "secret"
    path.write_text("secret")
    return path
