# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Settings of forges, work directories, sweeps and usage, in parts of their own."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from agentd.settings_types import Frozen

ForgeKind = Literal["forgejo", "github", "jira"]
# owner/name, where * stands for anything within a part.
RepositoryPattern = Annotated[
    str, Field(pattern=r"^[A-Za-z0-9._*-]{1,100}/[A-Za-z0-9._*-]{1,100}$")
]


class ControlForge(Frozen):
    """A forge as control knows it: the gateway alone has its address and token."""

    kind: ForgeKind = "forgejo"
    """What it is: `forgejo` (Gitea too), `github` or `jira`."""
    repositories: list[RepositoryPattern] = Field(default=["*/*"])
    """Repositories whose webhooks are taken."""


class WorkSettings(Frozen):
    """How agents get work directories."""

    acquire_timeout_seconds: float = Field(default=60, gt=0)
    """How long a turn waits for a work directory that another one holds."""
    prepare_timeout_seconds: float = Field(default=600, gt=0)
    """How long the first clone of a repository may take."""
    fetch_seconds: float = Field(default=0, ge=0)
    """For how long after a fetch a repository is taken to be up to date."""


class SweepSettings(Frozen):
    """What is removed after what time."""

    interval_hours: float = Field(default=6, ge=0)
    """Time between two sweeps; 0 turns them off."""
    max_age_days: float = Field(default=30, gt=0)
    """Sessions and worktrees that were not used for so long go without a question."""
    transcript_ttl_days: float = Field(default=30, gt=0)
    """Transcripts that no conversation has go after that."""
    debug_ttl_days: float = Field(default=3, gt=0)
    """The CLI's debug logs go after that."""
    todos_ttl_days: float = Field(default=3, gt=0)
    """The CLI's lists of things to do go after that."""
    telemetry_ttl_days: float = Field(default=7, gt=0)
    """The CLI's telemetry goes after that."""
    logs_ttl_days: float = Field(default=7, gt=0)
    """Logs beside the transcripts go after that."""
    recovery_hours: float = Field(default=24, gt=0)
    """Branches and directories with work that was saved go after that."""
    question_seconds: float = Field(default=0.2, ge=0)
    """Pause between two questions to a forge."""


class UsageSettings(Frozen):
    """How much the agents' state may take."""

    sample_minutes: float = Field(default=10, ge=0)
    """Time between two samples of what is used; 0 takes none."""
    sample_days: float = Field(default=90, gt=0)
    """For how long samples are kept."""
    warn_bytes: int | None = Field(default=None, gt=0)
    """Above that, all of an agent's state together, its health warns."""
    limit_bytes: int | None = Field(default=None, gt=0)
    """Above that an agent takes no new turn."""
