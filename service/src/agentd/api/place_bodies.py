# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Repositories, issues and branches in the bodies of requests and answers."""

from __future__ import annotations

from typing import Annotated, Protocol

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

from agentd.definitions.names import wanted
from agentd.workdirs.names import MAX_BRANCH, MAX_REPOSITORY

Repository = Annotated[str, StringConstraints(min_length=1, max_length=MAX_REPOSITORY)]
Issue = Annotated[str, StringConstraints(min_length=1, max_length=64)]
Branch = Annotated[str, StringConstraints(min_length=1, max_length=MAX_BRANCH)]


class Placed(Protocol):
    """A request that may name an issue, or a branch to work on."""

    @property
    def repository(self) -> str | None:
        """The repository."""

    @property
    def issue(self) -> str | None:
        """The issue of it."""

    @property
    def branch(self) -> str | None:
        """The branch of it."""

    @property
    def conversation_id(self) -> str | None:
        """A conversation that is there."""

    @property
    def definition(self) -> str | None:
        """The definition of the conversation."""


def demand_one_place(body: Placed) -> None:
    """Raise ValueError if a request names no place, or two of them."""
    together = (body.repository is None) == (body.issue is None)
    # On a branch, one may work without an issue.
    if not together and (body.branch is None or body.repository is None):
        raise ValueError("repository and issue belong together. Send both.")
    if body.repository is not None and body.conversation_id is not None:
        raise ValueError(
            "conversation_id and repository name two conversations. Send one."
        )
    if body.branch is None:
        return
    if body.repository is None and body.conversation_id is None:
        raise ValueError("branch is one of a repository. Send repository too.")
    if wanted(body.definition) is not None:
        raise ValueError(
            "branch and definition each mean a directory to work in. Send one."
        )


def _written(value: object) -> object:
    """Return the number of an issue as the text that it is known by."""
    is_number = isinstance(value, int) and not isinstance(value, bool)
    return str(value) if is_number else value


Filled = StringConstraints(strip_whitespace=True, min_length=1)


class ResetBody(BaseModel):
    """Whose work on which issue is to be forgotten."""

    model_config = ConfigDict(extra="forbid")

    agent: Annotated[str, Filled, StringConstraints(max_length=256)] = Field(
        description="The agent."
    )
    repo: Annotated[Repository, Filled] = Field(description="The repository.")
    issue: Annotated[Issue, Filled, BeforeValidator(_written)] = Field(
        description="The issue of it, as a text or a number."
    )


class DroppedBody(BaseModel):
    """What of it was there and is gone."""

    worktree: bool = Field(description="Whether a work directory was removed.")
    session: bool = Field(description="Whether a session was forgotten.")


class ResetAnswer(BaseModel):
    """What a reset dropped."""

    dropped: DroppedBody
