# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""The bodies that tell of skills, and of stopping."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from agentd.api.bodies import Label


class ShadowedBody(BaseModel):
    """A skill that one of a higher tier hides."""

    name: str
    winner: str = Field(description="The tier that is used.")
    loser: str = Field(description="Where the hidden one lies.")


class ConflictBody(BaseModel):
    """A version of a skill that was kept aside."""

    name: str
    copy_path: str = Field(serialization_alias="copy", description="Where it lies.")


class SkillsBody(BaseModel):
    """What an agent's last sync of skills found and did."""

    builtIn: list[str] = Field(description="Skills of the image.")
    org: list[str] = Field(description="Skills of the organisation.")
    uploaded: list[str] = Field(
        default_factory=list, description="Skills that were uploaded for all agents."
    )
    user: list[str] = Field(description="Skills of the agent itself.")
    effective: list[str] = Field(description="Skills that the CLI should have.")
    shadowed: list[ShadowedBody] = Field(default_factory=list)
    persisted: list[str] = Field(
        default_factory=list, description="Skills made at run time that were kept."
    )
    conflicts: list[ConflictBody] = Field(default_factory=list)
    removed: list[str] = Field(default_factory=list)
    warnings: list[str] = Field(default_factory=list)
    changed: bool = False
    managed_mcp: str | None = Field(
        default=None, description="Whether MCP servers of the organisation are there."
    )
    restart_needed: list[str] = Field(
        default_factory=list, description="What is used only after a restart."
    )
    missing: list[str] = Field(
        default_factory=list,
        description="Effective skills that the CLI did not report in its last turn.",
    )


class AgentSkillsBody(BaseModel):
    """The skills of one agent, or why they are not known."""

    skills: SkillsBody | None = None
    error: str | None = None


class SkillsAnswer(BaseModel):
    """The skills of the agent that was asked for, and of all."""

    skills: SkillsBody
    agents: dict[str, AgentSkillsBody]


class ReloadedAnswer(SkillsAnswer):
    """The skills after they were synced anew."""

    status: Literal["reloaded"] = "reloaded"


class ReloadBody(BaseModel):
    """Which agent is meant."""

    model_config = ConfigDict(extra="forbid")

    agent: Label | None = Field(
        default=None, description="The one agent to sync; all of them without."
    )


class StopBody(BaseModel):
    """Why control should stop."""

    model_config = ConfigDict(extra="forbid")

    reason: Annotated[str, StringConstraints(max_length=256)] | None = Field(
        default=None, description='Why; it is logged. "api-stop" without.'
    )


class StoppingAnswer(BaseModel):
    """Control drains and exits."""

    status: Literal["stopping"] = "stopping"
    reason: str
    message: str
