# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""What the end points work with, made when the app starts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Annotated, cast

from fastapi import Depends, Request

from agentd.api.gateway_status import GatewayStatus
from agentd.api.joined import Joined
from agentd.api.metrics import Metrics
from agentd.api.probes import AgentProbes
from agentd.api.skill_reports import ExpectedSkills
from agentd.clock import Clock
from agentd.conversations.turns import Turns
from agentd.database.open import Database
from agentd.definitions.registry import Registry
from agentd.engine.protocol import Engine
from agentd.hosts.presence import Presence
from agentd.output.protocol import Output
from agentd.queue.queue import Queue
from agentd.samples.watch import UsageWatch
from agentd.settings import ControlSettings
from agentd.spawner.protocol import Spawner
from agentd.sweep.sweeper import Sweeper
from agentd.tasks.schedules import Schedules
from agentd.webhooks.receiver import Receiver
from agentd.work.work import Work


@dataclass(frozen=True)
class Service:
    """The running parts of control."""

    settings: ControlSettings
    database: Database
    presence: Presence
    engine: Engine
    spawner: Spawner
    turns: Turns
    probes: AgentProbes
    metrics: Metrics
    clock: Clock
    gateway: GatewayStatus
    expected: ExpectedSkills
    queue: Queue
    schedules: Schedules
    work: Work
    sweeper: Sweeper
    registry: Registry
    webhooks: Receiver
    output: Output
    usage: UsageWatch
    stop: Callable[[str], None] | None
    joined: Joined = field(default_factory=Joined)


async def service_of(request: Request) -> Service:
    """Return the running parts of the app that a request came to."""
    return cast(Service, request.app.state.service)


ServiceDep = Annotated[Service, Depends(service_of)]
