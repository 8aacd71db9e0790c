# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""The bodies that tell what the agents and the deployment take."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field


class AmountBody(BaseModel):
    """How many bytes, and how many files."""

    bytes: int
    files: int


class UsageBody(BaseModel):
    """What one agent, or the deployment itself, takes."""

    agent: str | None = Field(description="Its name; null for the deployment itself.")
    at: str | None = Field(description="When it was counted; null if never yet.")
    bytes: int
    files: int
    level: Literal["ok", "warned", "exceeded", "unknown"] = Field(
        description="How it stands to the limits; unknown if it was never counted."
    )
    areas: dict[str, AmountBody] = Field(description="The same by area.")
    seconds: float = Field(description="How long the count took.")
    whole: bool = Field(description="Whether the count came to its end.")
    problems: list[str] = Field(description="What could not be counted.")


class UsageAnswer(BaseModel):
    """What all take at this host."""

    host: str
    bytes: int
    files: int
    warn_bytes: int | None
    limit_bytes: int | None
    deployment: UsageBody
    agents: list[UsageBody]
    problems: list[str] = Field(description="Who could not be asked, and why.")


class SampleBody(BaseModel):
    """What an area took at a time."""

    at: str
    host: str
    agent: str | None
    area: str
    bytes: int
    files: int


class SamplesAnswer(BaseModel):
    """What was taken over time, the oldest first."""

    samples: list[SampleBody]
    more: bool = Field(description="Whether there are later ones that were asked for.")
