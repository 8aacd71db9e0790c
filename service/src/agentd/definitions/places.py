# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Where control finds definitions, skills and the settings of webhooks."""

from __future__ import annotations

from pathlib import Path

from agentd.definitions.resolve import Tiers
from agentd.settings import ControlSettings


def definition_tiers(settings: ControlSettings) -> Tiers:
    """Return where definitions are."""
    return Tiers(
        Path(settings.definitions_directory) / "agents",
        Path(settings.built_in_definitions_directory),
    )


def skill_tiers(settings: ControlSettings) -> Tiers:
    """Return where the skills of all agents are."""
    return Tiers(
        Path(settings.definitions_directory) / "skills",
        Path(settings.built_in_skills_directory),
    )
