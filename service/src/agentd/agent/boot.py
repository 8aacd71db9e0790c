# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""The boot of the agent side: ordered, named steps, each of which may be repeated."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from agentd.agent.cli_settings import settle_state_file, write_cli_settings
from agentd.agent.credentials import move_old_sign_in
from agentd.agent.directories import (
    make_directories,
    open_up,
    require_writable,
    sentence,
)
from agentd.agent.home_link import adopt_state_file, link_home
from agentd.agent.log import Log
from agentd.agent.managed import managed_warnings
from agentd.agent.memory_link import link_memory
from agentd.agent.settings import AgentSettings
from agentd.legacy import place_warnings, variable_warnings
from agentd.skills.places import places_of
from agentd.skills.sync import sync_skills
from agentd.skills.values import SkillsReport

STEPS = (
    "directories",
    "home_link",
    "settings",
    "org_mcp",
    "skills_persist",
    "skills_clear",
    "skills_sync",
    "memory_link",
    "serve",
)


@dataclass(frozen=True)
class Booted:
    """What the boot found: what keeps the agent from work, and what to look at."""

    errors: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    skills: SkillsReport | None = None


def boot(settings: AgentSettings, log: Log, environment: Mapping[str, str]) -> Booted:
    """Take every step but the last; raise BootFailed if the memory cannot be used."""

    def step(name: str) -> None:
        log.event("info", "boot_step", step=name)

    warnings = legacy_warnings(settings, environment)
    step("directories")
    errors, found = _directories(settings)
    warnings += found
    step("home_link")
    home, config = Path(settings.home_directory), Path(settings.config_directory)
    warnings += link_home(home, config) + adopt_state_file(home, config)
    step("settings")
    found_errors, found = _settings(settings)
    errors += found_errors
    warnings += found + move_old_sign_in(settings)
    step("org_mcp")
    warnings += managed_warnings(settings)
    skills, found = _skills(settings, step)
    warnings += found
    step("memory_link")
    warnings += _memory_link(settings)
    return Booted(tuple(errors), tuple(warnings), skills)


def _directories(settings: AgentSettings) -> tuple[list[str], list[str]]:
    warnings = []
    for directory in (settings.working_directory, settings.config_directory):
        with suppress(OSError):
            warnings += open_up(Path(directory))
    require_writable(settings)
    errors, found = make_directories(settings)
    require_writable(settings)
    return errors, warnings + found


def mend(settings: AgentSettings) -> list[str]:
    """Make again what a fault may have taken meanwhile; return what failed."""
    errors, _warnings = make_directories(settings, clear=False)
    return errors + _settings(settings)[0]


def legacy_warnings(
    settings: AgentSettings, environment: Mapping[str, str]
) -> list[str]:
    """Return a warning for each thing of an earlier system that is set or mounted."""
    used = {settings.working_directory, settings.config_directory}
    return [
        *variable_warnings({**settings.environment, **environment}),
        *place_warnings(used),
    ]


def _settings(settings: AgentSettings) -> tuple[list[str], list[str]]:
    config = Path(settings.config_directory)
    try:
        warnings = write_cli_settings(config, settings.cleanup_period_days)
        return [], warnings + settle_state_file(config)
    except OSError as error:
        return [sentence("keep the CLI's settings in", config, error)], []


def _skills(
    settings: AgentSettings, step: Callable[[str], None]
) -> tuple[SkillsReport | None, list[str]]:
    try:
        report = sync_skills(places_of(settings), settings.skills, step)
    except OSError as error:
        reason = f"{error.strerror}: {error.filename}"
        return None, [
            f"Cannot sync the skills: {reason} as uid {os.geteuid()}. The skills of "
            "before stay. Correct that, and reload them."
        ]
    return report, list(report.warnings)


def _memory_link(settings: AgentSettings) -> list[str]:
    config, memory = Path(settings.config_directory), Path(settings.working_directory)
    try:
        return link_memory(config, memory)
    except OSError as error:
        return [sentence("link the auto-memory below", config / "projects", error)]
