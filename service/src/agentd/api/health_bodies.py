# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""The bodies that tell how the service, its agents and the model are."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field


class ModelBody(BaseModel):
    """How an agent stands with the model, as the gateway tells."""

    state: Literal[
        "ok", "signed_out", "rate_limited", "overloaded", "over_budget", "unknown"
    ]
    since: str | None
    retry_after: str | None = Field(description="When the state is known to end.")
    reason: str | None
    sign_in: str | None
    running: int
    usage: dict[str, float]
    budget: dict[str, float | str | None] | None


class AgentBody(BaseModel):
    """One declared agent."""

    name: str
    connected: bool
    ok: bool = Field(description="Whether its volumes could really be written.")
    errors: list[str]
    warnings: list[str] = Field(default_factory=list)
    unproved: bool = Field(
        default=False, description="Whether its last turn was not found on disk."
    )
    live_conversations: int
    credentials: str | None = Field(
        default=None, description="How the CLI's own sign-in is, where it is used."
    )
    credentials_expire_at: str | None = None
    model: ModelBody | None = Field(
        default=None, description="How it stands with the model; null if not known."
    )


class DatabaseHealth(BaseModel):
    """The database of control."""

    ok: bool
    conversations: int
    tasks: int
    error: str | None = None


class VolumesHealth(BaseModel):
    """What could really be written; null while no agent is connected to tell."""

    memory: bool | None
    skills: bool | None
    sessions: bool | None
    store: bool


class AgentsHealth(BaseModel):
    """How many agents are declared and connected."""

    declared: int
    connected: int


class HealthBody(BaseModel):
    """Whether the service is well."""

    status: Literal["ok", "degraded"]
    version: str
    commit: str
    build_time: str
    max_execution_ms: int
    draining: bool
    database: DatabaseHealth
    volumes: VolumesHealth
    agents: AgentsHealth
    queue_length: int = Field(
        description="Tasks that wait, on all hosts; -1 while Redis cannot be reached."
    )
    problems: list[str] = Field(
        default_factory=list, description="What makes the status degraded."
    )
