# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""The settings of the agent side, read once with the standard library only."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, dataclass, field, fields
from pathlib import Path

from agentd.errors import SettingsInvalid

LOG_LEVELS = ("debug", "info", "warning", "error", "critical")
SIGN_INS = ("gateway", "direct")
# Empty is the agent's own name.
IDENTITY = frozenset({"git_name", "git_email"})
SKILL_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")
ENVIRONMENT_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
RESERVED_ENVIRONMENT = frozenset(
    {
        "ANTHROPIC_API_KEY",
        "ANTHROPIC_BASE_URL",
        "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC",
        "CLAUDE_CODE_ENTRYPOINT",
        "CLAUDE_CODE_OAUTH_TOKEN",
        "CLAUDE_CONFIG_DIR",
        "CLAUDE_SECURESTORAGE_CONFIG_DIR",
        "HOME",
    }
)


@dataclass(frozen=True, kw_only=True)
class AgentSettings:
    """What the agent side is told; it holds no key and no token."""

    component: str
    """Which component these settings are for."""
    deployment: str
    """Name of the deployment."""
    agent: str
    """Its own name."""
    control_socket: str = "/run/agentd/control/control.sock"
    """Where it dials control."""
    gateway_socket: str = "/run/agentd/gateway/gateway.sock"
    """Where its relay leads."""
    working_directory: str = "/data/memory"
    """Where the CLI runs, always the same."""
    config_directory: str = "/data/memory/.claude"
    """`CLAUDE_CONFIG_DIR`; follows `working_directory` unless it is set."""
    home_directory: str = "/data/memory"
    """`HOME` of the CLI; follows `working_directory` unless it is set.
    Its `.claude` leads to `config_directory`."""
    skill_data_directory: str = "/data/skill-data"
    """`SKILL_DATA_DIR`."""
    org_directory: str = "/data/org"
    """What the organisation gives to all agents: persona, skills, MCP servers."""
    org_skills_directory: str = "/data/skills"
    """Skills of the organisation where `org_directory` has none."""
    built_in_skills_directory: str = "/opt/agentd/skills"
    """Skills that the image has."""
    uploaded_skills_directory: str = "/data/definitions/skills"
    """Skills that were uploaded for all agents."""
    definitions_directory: str = "/data/definitions/agents"
    """Uploaded definitions."""
    built_in_definitions_directory: str = "/opt/agentd/definitions"
    """Definitions that the image has."""
    definition_work_directory: str = "/data/memory/definitions"
    """Where each definition has its writable work directory; follows
    `working_directory` unless it is set."""
    workdirs_directory: str = "/data/workdirs"
    """Clones of repositories and worktrees; the same path for ever."""
    git_name: str = ""
    """Author and committer of what the agent commits; empty is the agent's name."""
    git_email: str = ""
    """Their address; empty is one at `agents.invalid`."""
    skills: Sequence[str] | None = None
    """Names of the skills that the agent has; null is all of them."""
    managed_directory: str = "/etc/claude-code"
    """Where the CLI looks for MCP servers that the organisation manages."""
    credentials_directory: str = "/data/credentials"
    """The CLI's own sign-in, with `sign_in` direct."""
    sign_in: str = "gateway"
    """Whether the gateway adds the key, or the CLI is signed in itself."""
    relay_port: int = 8081
    """Loopback port of the relay to the gateway."""
    cleanup_period_days: int = 3650
    """After how many days the CLI deletes transcripts; never 0."""
    drain_seconds: float = 300
    """How long a turn may go on when control is gone."""
    max_processes: int = 64
    """CLI processes of this agent."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """Further environment of the CLI; never a secret."""
    log_level: str = "info"
    """Least severity of what is logged."""


_KINDS: dict[str, tuple[type, ...]] = {
    "str": (str,),
    "int": (int,),
    "float": (int, float),
    "Mapping[str, str]": (dict,),
    "Sequence[str] | None": (list, type(None)),
}
_RANGES = {
    "relay_port": (1, 65535),
    "cleanup_period_days": (1, 365_000),
    "drain_seconds": (0, 86_400),
    "max_processes": (1, 64),
}


def load_agent_settings(path: Path) -> AgentSettings:
    """Return the settings in that file; raise SettingsInvalid and say why."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SettingsInvalid(
            f"Cannot read the settings {path}: {error}. "
            "Deploy again, or name the right file in AGENTD_SETTINGS."
        ) from error
    try:
        if not isinstance(value, dict):
            raise ValueError("they are not a JSON object")
        return parse_agent_settings(value)
    except ValueError as error:
        raise SettingsInvalid(
            f"Cannot use the settings {path}: {error}. Correct them and start again."
        ) from error


def parse_agent_settings(value: Mapping[str, object]) -> AgentSettings:
    """Return the settings in that mapping; raise ValueError naming the key."""
    known = {item.name: item for item in fields(AgentSettings)}
    for name in value:
        if name not in known:
            raise ValueError(f'the key "{name}" is unknown')
    for name, item in known.items():
        required = item.default is MISSING and item.default_factory is MISSING
        if name not in value and required:
            raise ValueError(f'the key "{name}" is missing')
        if name in value:
            _check_value(name, str(item.type), value[name])
    if value["component"] != "agent":
        raise ValueError(f'"component" is "{value["component"]}", not "agent"')
    return AgentSettings(**{**_beside(value), **value})  # type: ignore[arg-type]


def _beside(value: Mapping[str, object]) -> dict[str, object]:
    """Return where a working directory of its own takes the others with it."""
    working = value.get("working_directory")
    if working is None:
        return {}
    return {
        "home_directory": working,
        "config_directory": f"{working}/.claude",
        "definition_work_directory": f"{working}/definitions",
    }


def _check_value(name: str, kind: str, value: object) -> None:
    if not isinstance(value, _KINDS[kind]) or isinstance(value, bool):
        raise ValueError(f'"{name}" is not of type {_KINDS[kind][0].__name__}')
    low, high = _RANGES.get(name, (0, 0))
    if isinstance(value, int | float) and not low <= value <= high:
        raise ValueError(f'"{name}" is {value}, not between {low} and {high}')
    if name in IDENTITY:
        if not str(value).isprintable() or set("<>") & set(str(value)):
            raise ValueError(f'"{name}" holds a character that git has no place for')
    elif isinstance(value, str) and (not value or "\0" in value):
        raise ValueError(f'"{name}" is empty or holds a NUL')
    is_path = name.endswith(("_directory", "_socket"))
    if is_path and not str(value).startswith("/"):
        raise ValueError(f'"{name}" is not an absolute path: "{value}"')
    if name == "sign_in" and value not in SIGN_INS:
        raise ValueError(f'"sign_in" is "{value}", not one of {SIGN_INS}')
    if isinstance(value, list):
        _check_skills(value)
    if name == "log_level" and value not in LOG_LEVELS:
        raise ValueError(f'"log_level" is "{value}", not one of {LOG_LEVELS}')
    if isinstance(value, dict):
        _check_environment(value)


def _check_skills(names: list[object]) -> None:
    for name in names:
        if not isinstance(name, str) or SKILL_NAME.fullmatch(name) is None:
            raise ValueError(f'"skills" has a name that no skill has: "{name}"')


def _check_environment(environment: Mapping[object, object]) -> None:
    for name, value in environment.items():
        if not isinstance(name, str) or ENVIRONMENT_NAME.fullmatch(name) is None:
            raise ValueError(f'"environment" has a name that is none: "{name}"')
        if name in RESERVED_ENVIRONMENT:
            raise ValueError(f'"environment" sets {name}, which agentd sets itself')
        if not isinstance(value, str) or "\0" in value:
            raise ValueError(f'"environment" has a value that is no text: {name}')
