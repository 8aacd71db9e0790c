# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""The settings of the gateway."""

from __future__ import annotations

from typing import Literal
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator

from agentd.settings_types import (
    BudgetPeriod,
    Frozen,
    LogLevel,
    ModelName,
    Name,
    SignIn,
)
from agentd.work_settings import ForgeKind, RepositoryPattern


def address(value: str, otherwise: str = "") -> str:
    """Return an address without a slash at its end; raise ValueError if it is none."""
    parts = urlsplit(value)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError(f'"{value}" is not {otherwise}an http or https address')
    if "@" in parts.netloc or parts.query or parts.fragment:
        raise ValueError(
            "it holds more than host, port and path. Write the key or token into the "
            "file that api_key_file or token_file names: this address is shown and "
            "logged"
        )
    return value.rstrip("/")


class Price(Frozen):
    """What a million tokens of a model cost, in US dollars."""

    input: float = Field(ge=0)
    """Tokens that are sent."""
    output: float = Field(ge=0)
    """Tokens that are answered."""
    cache_write: float = Field(ge=0)
    """Tokens that are written to the cache."""
    cache_read: float = Field(ge=0)
    """Tokens that are read from the cache."""


class AgentRules(Frozen):
    """What one agent may ask of the model; null is no limit."""

    models: list[ModelName] | None = None
    """Models that it may ask for; null is all of them."""
    budget_usd: float | None = Field(default=None, ge=0)
    """What it may spend in one period, by the prices."""
    budget_tokens: int | None = Field(default=None, ge=0)
    """How many tokens it may use in one period."""
    budget_period: BudgetPeriod = "day"
    """After what time, in UTC, its budgets begin anew."""
    sign_in: SignIn = "gateway"
    """Whether the gateway adds the key, or the agent's own CLI is signed in."""


class SshAccess(Frozen):
    """How git reaches a forge over SSH, in place of HTTP."""

    host: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9.:-]{0,252}$")
    """Name or address of its server."""
    port: int = Field(default=22, ge=1, le=65535)
    """Port of its server."""
    user: str = Field(default="git", pattern=r"^[A-Za-z0-9_][A-Za-z0-9._-]{0,31}$")
    """User to sign in as."""
    key_file: str
    """Private key of the deployment; only the gateway reads it."""
    known_hosts_file: str
    """Keys by which the server is known; another one is refused."""
    path_prefix: str = ""
    """What stands before owner/name in a path at that server."""


class Forge(Frozen):
    """One forge: where it is, the token for it, and who may use what."""

    kind: ForgeKind = "forgejo"
    """What it is: `forgejo` (Gitea too), `github` or `jira`."""
    url: str
    """Address of its web pages; repositories are below it."""
    api_url: str | None = None
    """Address of its API; null is the usual one of its kind."""
    token_file: str | None = None
    """File with the token that the gateway adds; null adds none."""
    user: str = "agentkeep"
    """Name that goes with the token where git asks for one."""
    ssh: SshAccess | None = None
    """How git reaches it over SSH; null is HTTP."""
    repositories: list[RepositoryPattern] = Field(default=["*/*"])
    """Repositories that agents may reach."""
    agents: dict[Name, list[RepositoryPattern]] | None = None
    """Which of these each agent may reach; null is all of them for every agent."""
    read_only: bool = False
    """Whether agents may fetch and not push."""

    @field_validator("url", "api_url")
    @classmethod
    def _address_holds_no_more(cls, value: str | None) -> str | None:
        return None if value is None else address(value)


class GatewaySettings(Frozen):
    """What ``agentd gateway`` is told."""

    component: Literal["gateway"]
    """Which component these settings are for."""
    deployment: Name
    """Name of the deployment."""
    sockets_directory: str = "/run/agentd/sockets"
    """One directory for each agent, with the gateway's socket in it."""
    agents: list[Name] = Field(min_length=1)
    """Names of the agents."""
    upstream: str = "offline"
    """`offline`, or the address of a Messages API."""
    api_key_file: str | None = None
    """File with the key; an upstream other than `offline` needs one, or a
    `credentials_directory`. A new key in it is used for requests that come after it."""
    credentials_directory: str | None = None
    """Where an uploaded key or sign-in is kept, which is used before that of
    `api_key_file`; null takes none."""
    rules: dict[Name, AgentRules] = Field(default={})
    """What each agent may ask of the model; agents without an entry anything."""
    prices: dict[ModelName, Price] = Field(default={})
    """What models cost, by the beginning of a model's name; the longest one counts."""
    usage_directory: str | None = None
    """Where tokens and cost are kept; null forgets them at a restart."""
    forges: dict[Name, Forge] = Field(default={})
    """Where repositories and issues are."""
    status_socket: str | None = None
    """Where control asks for states and figures; null tells nobody."""
    max_request_bytes: int = Field(default=33_554_432, ge=1024)
    """Largest request that is passed on."""
    upstream_timeout_seconds: float = Field(default=600, gt=0)
    """How long to wait for the next bytes of an answer."""
    drain_seconds: float = Field(default=300, ge=0)
    """How long running requests may go on at a stop."""
    log_level: LogLevel = "info"
    """Least severity of what is logged."""

    @field_validator("upstream")
    @classmethod
    def _upstream_is_offline_or_url(cls, value: str) -> str:
        return value if value == "offline" else address(value, '"offline" or ')

    @model_validator(mode="after")
    def _real_upstream_needs_key(self) -> GatewaySettings:
        signed_in = {
            name for name, one in self.rules.items() if one.sign_in == "direct"
        }
        needs_key = self.upstream != "offline" and set(self.agents) - signed_in
        places = (self.api_key_file, self.credentials_directory)
        if needs_key and places == (None, None):
            raise ValueError(
                f'upstream is "{self.upstream}" and api_key_file is null. Set '
                'api_key_file or credentials_directory, or upstream to "offline"'
            )
        return self

    @model_validator(mode="after")
    def _rules_can_be_kept(self) -> GatewaySettings:
        for name, rules in self.rules.items():
            if name not in self.agents:
                raise ValueError(
                    f'rules name the agent "{name}", which is not declared'
                )
            if rules.budget_usd is not None and not self.prices:
                raise ValueError(
                    f'agent "{name}" has budget_usd and prices is empty: nobody could '
                    "tell what is spent. Set prices, or budget_tokens instead"
                )
        return self
