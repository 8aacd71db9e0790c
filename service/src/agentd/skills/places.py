# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""Where the skills of an agent come from and go to."""

from __future__ import annotations

import stat
from pathlib import Path

from agentd.agent.settings import AgentSettings
from agentd.skills.values import SkillPlaces

LEGACY_ORG_SKILLS = Path("/data/skills")
STATE_DIRECTORY = ".agentkeep"


def places_of(settings: AgentSettings, legacy: Path = LEGACY_ORG_SKILLS) -> SkillPlaces:
    """Return the places of an agent's skills; org skills are looked for in order."""
    config = Path(settings.config_directory)
    org, warnings = _org_skills(settings, legacy)
    return SkillPlaces(
        built_in=Path(settings.built_in_skills_directory),
        org=org,
        uploaded=Path(settings.uploaded_skills_directory),
        user=Path(settings.working_directory) / "skills",
        destination=config / "skills",
        state=config / STATE_DIRECTORY / "skills.json",
        warnings=warnings,
    )


def _org_skills(
    settings: AgentSettings, legacy: Path
) -> tuple[Path | None, tuple[str, ...]]:
    own = Path(settings.org_directory) / "skills"
    if _is_there(own):
        return own, ()
    other = Path(settings.org_skills_directory)
    if not _is_there(other):
        return None, ()
    if other != legacy:
        return other, ()
    return other, (
        f"The organisation's skills come from {other}, the legacy place. "
        f"Move them to {own}, or name their place in org_skills_directory.",
    )


def _is_there(path: Path) -> bool:
    """Return whether it is a directory, or might be: what is hidden is not absent."""
    try:
        return stat.S_ISDIR(path.stat().st_mode)
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        return True
