# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""What is told of webhooks that were received."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field

Told = Literal["dispatched", "cleaning", "cleaned", "ignored"]


class ReceiptBody(BaseModel):
    """What became of a webhook."""

    outcome: Told = Field(
        description="dispatched: an agent got a task. cleaning, cleaned: what an issue "
        "or a branch left is removed. ignored: nothing is done."
    )
    repeated: bool = Field(description="Whether it had come before; nothing was done.")
    task_id: str | None = Field(description="The task that an agent got for it.")
    detail: str | None = Field(description="Why nothing is done, or what was removed.")


class ReceivedBody(BaseModel):
    """A webhook that was received."""

    number: int
    source: str = Field(description="forgejo, github or jira.")
    delivery: str = Field(description="Its id at the sender; not signed.")
    event: str
    action: str | None
    repository: str | None
    issue: str | None
    branch: str | None = Field(description="The branch whose worktrees are removed.")
    received_at: str = Field(description="In ISO 8601.")
    outcome: Told
    detail: str | None
    task_id: str | None


class ReceivedListBody(BaseModel):
    """Webhooks that were received, the newest first."""

    webhooks: list[ReceivedBody]
    more: bool = Field(description="Whether there are older ones.")
