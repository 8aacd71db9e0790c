# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""The settings of control and gateway: read once from one JSON file, then frozen."""

from __future__ import annotations

import ipaddress
import json
from pathlib import Path
from typing import Literal, TypeVar

from pydantic import Field, ValidationError, field_validator, model_validator

from agentd.address import DatabaseAddress, database_address
from agentd.errors import AgentUnknown, SettingsInvalid
from agentd.gateway_settings import AgentRules, GatewaySettings, Price
from agentd.settings_types import (
    BudgetPeriod,
    Frozen,
    LogLevel,
    ModelName,
    Name,
    PermissionMode,
    SignIn,
    TimeZone,
    ToolName,
)
from agentd.work_settings import (
    ControlForge,
    SweepSettings,
    UsageSettings,
    WorkSettings,
)

__all__ = [
    "AgentEntry",
    "AgentRules",
    "BudgetPeriod",
    "ControlSettings",
    "GatewaySettings",
    "ModelName",
    "Price",
    "SignIn",
    "is_loopback",
    "load_control_settings",
    "load_gateway_settings",
    "read_secret",
]


class AgentEntry(Frozen):
    """One declared agent, and how its CLI is started."""

    name: Name
    """Name of the agent."""
    model: ModelName | None = None
    """Its model; the CLI's own choice without."""
    fallback_model: ModelName | None = None
    """Model to use while the other one is overloaded."""
    permission_mode: PermissionMode = "bypassPermissions"
    """What the CLI may do unasked."""
    system_prompt: str | None = Field(default=None, max_length=65_536)
    """Replaces the CLI's system prompt and the organisation's persona."""
    tools: list[ToolName] = Field(default=["send_message"])
    """Tools of agentd that it is offered."""
    memory_bytes: int | None = Field(default=None, gt=0)
    """Memory limit of its container; it bounds how many CLI processes may live."""


class ControlSettings(Frozen):
    """What ``agentd serve`` is told."""

    component: Literal["control"]
    """Which component these settings are for."""
    deployment: Name
    """Name of the deployment."""
    host: Name = "main"
    """Name of this host among those that share one database; stays the same."""
    listen_host: str = "0.0.0.0"
    """Address inside the container."""
    listen_port: int = Field(default=8080, ge=0, le=65535)
    """Port inside the container; `deployment_port` publishes it."""
    api_token_file: str | None = None
    """File with the bearer token; without one only a loopback address is accepted."""
    database_url: str = Field(
        default="sqlite+aiosqlite:////data/database/agentd.db", repr=False
    )
    """Absolute path of the SQLite file, or the address of a PostgreSQL database."""
    database_url_file: str | None = None
    """File with the database's address, in place of `database_url`: it may hold a
    password."""
    redis_url_file: str | None = None
    """File with the address of Redis, Redis Sentinel or Redis Cluster; without one the
    queue needs no other server."""
    store_sessions: bool | None = None
    """Whether transcripts are kept in the database too, so that conversations go on at
    other hosts; null is only with PostgreSQL."""
    sockets_directory: str = "/run/agentd/sockets"
    """One directory for each agent, with control's socket in it."""
    agents: list[AgentEntry] = Field(min_length=1)
    """The agents; the first is the one that is meant when none is named."""
    max_execution_seconds: float = Field(default=300, gt=0)
    """After that a turn ends with the status `timeout`; its session is kept."""
    drain_seconds: float = Field(default=300, ge=0)
    """How long running turns may go on at a stop."""
    idle_client_seconds: float = Field(default=900, gt=0)
    """After that an idle CLI process is closed."""
    max_live_clients: int = Field(default=64, ge=1)
    """CLI processes kept, all agents together; least recently used go first."""
    client_memory_bytes: int = Field(default=115_343_360, ge=1)
    """How much memory a CLI process is counted with."""
    live_memory_bytes: int | None = Field(default=None, gt=0)
    """How much memory all CLI processes may take; null is no limit beside those of the
    agents."""
    max_starting_clients: int | None = Field(default=None, ge=1)
    """CLI processes that start at the same time; null is one for each processor."""
    max_waiting_turns: int = Field(default=32, ge=0)
    """Turns that wait for a CLI process; further ones are answered with 503."""
    max_waiting_seconds: float = Field(default=30, ge=0)
    """How long a turn waits for a CLI process before it is answered with 503."""
    session_end_marker: str = Field(
        default="[[AGENTKEEP_SESSION_END]]", min_length=1, max_length=200
    )
    """What an agent says when a conversation is over."""
    session_max_bytes: int | None = Field(default=None, gt=0)
    """Size of a transcript above which a conversation goes on in a fresh session."""
    session_max_days: float | None = Field(default=None, gt=0)
    """Age of a session above which a conversation goes on in a fresh one."""
    repair_transcripts: bool = True
    """Whether damaged transcripts are repaired after a start; originals stay beside."""
    outbound_ttl_days: float = Field(default=7, gt=0)
    """For how long messages between turns are kept after an answer carried them."""
    time_zone: TimeZone = "UTC"
    """Time zone of schedules that name none, e.g. Europe/Berlin."""
    max_running_tasks: int = Field(default=5, ge=1)
    """Tasks that this host runs at the same time, all agents together."""
    max_running_tasks_per_agent: int = Field(default=2, ge=1)
    """Tasks of one agent that this host runs at the same time."""
    max_queued_tasks: int = Field(default=100_000, ge=1)
    """Tasks that wait; further ones are answered with 503."""
    task_timeout_seconds: float = Field(default=3600, gt=0)
    """After that a task ends with the status `failed`; one may ask for less."""
    task_max_attempts: int = Field(default=3, ge=1)
    """How often a task is begun that was broken off by the end of its worker."""
    task_log_retention: int = Field(default=100, ge=1)
    """Runs that are kept of each schedule."""
    task_retention_days: float = Field(default=30, gt=0)
    """After that a task that ended and belongs to no schedule is removed."""
    worker_lost_seconds: float = Field(default=30, ge=2)
    """After that without a sign of life a host is lost, and its tasks go to others."""
    output_ttl_seconds: float = Field(default=3600, gt=0)
    """For how long the live output of a task that ended can be joined."""
    definitions_directory: str = "/data/definitions"
    """Uploaded definitions, skills and settings of webhooks."""
    built_in_definitions_directory: str = "/opt/agentd/definitions"
    """Definitions that the image has."""
    built_in_skills_directory: str = "/opt/agentd/skills"
    """Skills that the image has."""
    upload_max_bytes: int = Field(default=10_485_760, ge=1024)
    """Largest definition or skill that is taken."""
    upload_max_files: int = Field(default=500, ge=1)
    """Files of one definition or skill at most."""
    gateway_status_socket: str | None = None
    """Where the gateway tells its states and figures; null asks nobody."""
    forges: dict[Name, ControlForge] = Field(default={})
    """Where repositories and issues are; a repository without the name of one is of
    the first."""
    work: WorkSettings = Field(default=WorkSettings())
    """How agents get work directories."""
    sweep: SweepSettings = Field(default=SweepSettings())
    """What is removed after what time."""
    usage: UsageSettings = Field(default=UsageSettings())
    """How much the agents' state may take."""
    log_level: LogLevel = "info"
    """Least severity of what is logged."""

    @field_validator("database_url")
    @classmethod
    def _database_has_an_address(cls, value: str) -> str:
        database_address(value)
        return value

    @field_validator("agents")
    @classmethod
    def _names_are_unique(cls, value: list[AgentEntry]) -> list[AgentEntry]:
        names = [agent.name for agent in value]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f'agent "{name}" is declared twice')
        return value

    @model_validator(mode="after")
    def _open_only_with_token(self) -> ControlSettings:
        if self.api_token_file is None and not is_loopback(self.listen_host):
            raise ValueError(
                f'listen_host "{self.listen_host}" is not a loopback address and '
                "api_token_file is null: anybody could talk to the agents. "
                "Set api_token_file, or listen on 127.0.0.1"
            )
        return self

    @property
    def database_address(self) -> DatabaseAddress:
        """Return where the database is; raise SettingsInvalid."""
        if self.database_url_file is None:
            return database_address(self.database_url)
        told = read_secret(self.database_url_file, "database_url_file")
        try:
            return database_address(told)
        except ValueError as error:
            raise SettingsInvalid(
                f'Cannot use the address in "{self.database_url_file}": {error}. '
                "Correct it, or set database_url_file to another file."
            ) from None

    def agent(self, name: str) -> AgentEntry:
        """Return the declared agent of that name; raise AgentUnknown."""
        for entry in self.agents:
            if entry.name == name:
                return entry
        raise AgentUnknown(
            f'Agent "{name}" is not declared in this deployment. '
            f"Declared are: {', '.join(sorted(entry.name for entry in self.agents))}."
        )


SettingsType = TypeVar("SettingsType", ControlSettings, GatewaySettings)


def load_control_settings(path: Path) -> ControlSettings:
    """Return control's settings; raise SettingsInvalid naming each bad key."""
    return _load(path, ControlSettings)


def load_gateway_settings(path: Path) -> GatewaySettings:
    """Return the gateway's settings; raise SettingsInvalid naming each bad key."""
    return _load(path, GatewaySettings)


def read_secret(path: str, setting: str) -> str:
    """Return the secret in a file; raise SettingsInvalid if there is none."""
    try:
        secret = Path(path).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsInvalid(
            f'Cannot read the secret "{path}": {error}. '
            f"Set {setting} to a file that this component may read."
        ) from error
    if not secret:
        raise SettingsInvalid(
            f'Cannot use the secret "{path}": the file is empty. '
            f"Write the secret into it, or set {setting} to another file."
        )
    return secret


def is_loopback(host: str) -> bool:
    """Return whether only this machine can reach a service on that address."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _load(path: Path, kind: type[SettingsType]) -> SettingsType:
    try:
        values = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise SettingsInvalid(
            f'Cannot read the settings "{path}": {error}. '
            "Set AGENTD_SETTINGS to a readable JSON file."
        ) from error
    try:
        return kind.model_validate(values)
    except ValidationError as error:
        problems = "; ".join(
            f"{'.'.join(str(part) for part in item['loc']) or 'settings'}: "
            f"{item['msg'].removeprefix('Value error, ')}"
            for item in error.errors(include_url=False, include_input=False)
        )
        raise SettingsInvalid(
            f'Cannot use the settings "{path}": {problems}. '
            "Correct these keys; keys that agentd does not know are refused."
        ) from error
