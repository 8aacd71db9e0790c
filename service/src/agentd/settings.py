# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""The settings of control and gateway: read once from one JSON file, then frozen."""

from __future__ import annotations

import ipaddress
import json
from pathlib import Path
from typing import Annotated, Literal, TypeVar
from urllib.parse import urlsplit

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)

from agentd.errors import SettingsInvalid

SQLITE_PREFIX = "sqlite+aiosqlite:///"

Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$")]
ModelName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:/@\[\]-]{0,127}$")]
LogLevel = Literal["debug", "info", "warning", "error"]
PermissionMode = Literal[
    "default", "acceptEdits", "bypassPermissions", "dontAsk", "plan", "auto"
]


ToolName = Literal["send_message"]
SignIn = Literal["gateway", "direct"]
BudgetPeriod = Literal["day", "month", "total"]


class Frozen(BaseModel):
    """A value that cannot be changed and refuses keys that it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class AgentEntry(Frozen):
    """One declared agent, and how its CLI is started."""

    name: Name
    model: ModelName | None = None
    fallback_model: ModelName | None = None
    permission_mode: PermissionMode = "bypassPermissions"
    system_prompt: str | None = Field(default=None, max_length=65_536)
    tools: list[ToolName] = Field(default=["send_message"])
    memory_bytes: int | None = Field(default=None, gt=0)


class ControlSettings(Frozen):
    """What ``agentd serve`` is told."""

    component: Literal["control"]
    deployment: Name
    listen_host: str = "0.0.0.0"
    listen_port: int = Field(default=8080, ge=0, le=65535)
    api_token_file: str | None = None
    database_url: str = "sqlite+aiosqlite:////data/database/agentd.db"
    sockets_directory: str = "/run/agentd/sockets"
    agents: list[AgentEntry] = Field(min_length=1)
    max_execution_seconds: float = Field(default=300, gt=0)
    drain_seconds: float = Field(default=300, ge=0)
    idle_client_seconds: float = Field(default=900, gt=0)
    max_live_clients: int = Field(default=64, ge=1)
    client_memory_bytes: int = Field(default=115_343_360, ge=1)
    live_memory_bytes: int | None = Field(default=None, gt=0)
    max_starting_clients: int | None = Field(default=None, ge=1)
    max_waiting_turns: int = Field(default=32, ge=0)
    max_waiting_seconds: float = Field(default=30, ge=0)
    session_end_marker: str = Field(
        default="[[AGENTKEEP_SESSION_END]]", min_length=1, max_length=200
    )
    session_max_bytes: int | None = Field(default=None, gt=0)
    session_max_days: float | None = Field(default=None, gt=0)
    outbound_ttl_days: float = Field(default=7, gt=0)
    gateway_status_socket: str | None = None
    log_level: LogLevel = "info"

    @field_validator("database_url")
    @classmethod
    def _database_is_absolute_sqlite(cls, value: str) -> str:
        path = value.removeprefix(SQLITE_PREFIX)
        if path == value or not path.startswith("/") or "?" in path:
            raise ValueError(
                f'"{value}" does not name an absolute SQLite file. '
                f"Write {SQLITE_PREFIX} followed by an absolute path, "
                f"e.g. {SQLITE_PREFIX}/data/database/agentd.db"
            )
        if ".." in Path(path).parts:
            raise ValueError(f'"{value}" has ".." in its path. Write the real path')
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
    def database_path(self) -> Path:
        """Return the file that holds the database."""
        return Path(self.database_url.removeprefix(SQLITE_PREFIX))


class Price(Frozen):
    """What a million tokens of a model cost, in US dollars."""

    input: float = Field(ge=0)
    output: float = Field(ge=0)
    cache_write: float = Field(ge=0)
    cache_read: float = Field(ge=0)


class AgentRules(Frozen):
    """What one agent may ask of the model; null is no limit."""

    models: list[ModelName] | None = None
    budget_usd: float | None = Field(default=None, ge=0)
    budget_tokens: int | None = Field(default=None, ge=0)
    budget_period: BudgetPeriod = "day"
    sign_in: SignIn = "gateway"


class GatewaySettings(Frozen):
    """What ``agentd gateway`` is told."""

    component: Literal["gateway"]
    deployment: Name
    sockets_directory: str = "/run/agentd/sockets"
    agents: list[Name] = Field(min_length=1)
    upstream: str = "offline"
    api_key_file: str | None = None
    rules: dict[Name, AgentRules] = Field(default={})
    prices: dict[ModelName, Price] = Field(default={})
    usage_directory: str | None = None
    status_socket: str | None = None
    max_request_bytes: int = Field(default=33_554_432, ge=1024)
    upstream_timeout_seconds: float = Field(default=600, gt=0)
    drain_seconds: float = Field(default=300, ge=0)
    log_level: LogLevel = "info"

    @field_validator("upstream")
    @classmethod
    def _upstream_is_offline_or_url(cls, value: str) -> str:
        parts = urlsplit(value)
        if value != "offline" and (
            parts.scheme not in {"http", "https"} or not parts.hostname
        ):
            raise ValueError(
                f'"{value}" is neither "offline" nor an http or https address'
            )
        return value.rstrip("/")

    @model_validator(mode="after")
    def _real_upstream_needs_key(self) -> GatewaySettings:
        if self.upstream != "offline" and self.api_key_file is None:
            raise ValueError(
                f'upstream is "{self.upstream}" and api_key_file is null. '
                'Set api_key_file, or upstream to "offline"'
            )
        return self


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
