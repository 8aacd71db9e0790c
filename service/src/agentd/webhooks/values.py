# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""A webhook as it came, what it tells, and what became of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from agentd.queue.values import NewTask

Source = Literal["forgejo", "github", "jira"]
SOURCES: tuple[Source, ...] = ("forgejo", "github", "jira")
# What became of it: "cleaning" goes on until it is "cleaned".
Outcome = Literal["dispatched", "cleaning", "cleaned", "ignored"]


@dataclass(frozen=True)
class Delivery:
    """A request as it came; header names are in lower case."""

    source: Source
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)


@dataclass(frozen=True)
class Event:
    """What a sender tells, in one vocabulary for all senders.

    ``name`` is e.g. ``issues.opened``; one that is not known here is empty. What
    people wrote (``title``, ``text``, ``labels``) is anybody's words. ``subject``
    is who or what was added: an assignee, a reviewer or a label.
    """

    event: str
    action: str = ""
    name: str = ""
    project: str = ""
    number: str = ""
    sender: str = ""
    title: str = ""
    text: str = ""
    url: str = ""
    labels: tuple[str, ...] = ()
    people: tuple[str, ...] = ()
    subject: str | None = None
    branch: str | None = None
    pull: bool = False


@dataclass(frozen=True)
class Dispatch:
    """An agent is to work on it."""

    task: NewTask


@dataclass(frozen=True)
class Clean:
    """What an issue or a branch left is to be removed."""

    repository: str
    issue: str
    branch: str | None = None


@dataclass(frozen=True)
class Ignore:
    """Nothing is to be done, and why."""

    reason: str


Decision = Dispatch | Clean | Ignore


@dataclass(frozen=True)
class Received:
    """One event as the table has it; ``received_at`` is in seconds since 1970."""

    number: int
    source: str
    delivery: str
    event: str
    action: str | None
    repository: str | None
    issue: str | None
    branch: str | None
    received_at: float
    outcome: Outcome
    detail: str | None
    task_id: str | None


@dataclass(frozen=True)
class Receipt:
    """What became of a webhook, and whether it had come before."""

    received: Received
    repeated: bool
