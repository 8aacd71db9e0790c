# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""The parts of control: started in order, and ended in the other."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from agentd.api.gateway_issues import issue_states
from agentd.api.gateway_status import GatewayStatus
from agentd.api.metrics import Metrics, TurnWatches
from agentd.api.probes import AgentProbes
from agentd.api.skill_reports import ExpectedSkills
from agentd.api.state import Service
from agentd.clock import Clock
from agentd.conversations.keeping import Keeping, keeping_of
from agentd.conversations.outbox import Outbox
from agentd.conversations.parts import TurnParts
from agentd.conversations.turns import Turns
from agentd.conversations.unproved import Unproved
from agentd.database.open import Database
from agentd.definitions.registry import Registry, registry_of
from agentd.engine.mirror_store import BoundStore, StoreParts
from agentd.engine.protocol import ClientWish, Engine
from agentd.hosts.opening import held, opened_database
from agentd.hosts.presence import Presence
from agentd.output.open import output_of
from agentd.output.protocol import Output
from agentd.queue.parts import QueueParts
from agentd.queue.queue import Queue
from agentd.queue.values import TaskRunner
from agentd.samples.watch import UsageParts, UsageWatch
from agentd.settings import ControlSettings
from agentd.spawner.protocol import Spawner
from agentd.sweep.open import running_sweeps
from agentd.sweep.sweeper import Sweeper
from agentd.tasks.open import running_schedules
from agentd.tasks.runner import TurnRunner
from agentd.tasks.schedules import ScheduleParts, Schedules
from agentd.webhooks.open import running_webhooks
from agentd.webhooks.receiver import Receiver, ReceiverParts
from agentd.work.naming import Naming
from agentd.work.open import running_work
from agentd.work.work import Work, WorkParts
from agentd.work.workdirs import Workdirs


@dataclass(frozen=True)
class Edges:
    """What the app meets the world with, beside its engine."""

    spawner: Spawner
    token: str | None = field(default=None, repr=False)
    clock: Clock = field(default_factory=Clock)
    stop: Callable[[str], None] | None = None
    runner: TaskRunner | None = None
    keep: Callable[[Callable[[ClientWish], BoundStore]], None] | None = None


@dataclass(frozen=True)
class Ground:
    """What everything else stands on."""

    settings: ControlSettings
    edges: Edges
    engine: Engine
    database: Database
    presence: Presence
    counted: Metrics = field(default_factory=Metrics)
    expected: ExpectedSkills = field(default_factory=ExpectedSkills)


@dataclass(frozen=True)
class Tasked:
    """What gives the agents work, and cleans up behind it."""

    output: Output
    queue: Queue
    schedules: Schedules
    work: Work
    sweeper: Sweeper
    webhooks: Receiver


@asynccontextmanager
async def running_service(
    settings: ControlSettings, engine: Engine, edges: Edges
) -> AsyncIterator[Service]:
    """Start the parts of control, and end them in the other order."""
    async with (
        opened_database(settings.database_address.url) as database,
        held(_presence(settings, database, edges)) as presence,
        engine,
        asyncio.TaskGroup() as tasks,
    ):
        ground = Ground(settings, edges, engine, database, presence)
        engine.watch(ground.counted)
        usage = _usage(ground)
        registry = registry_of(settings)
        await asyncio.to_thread(registry.settle)
        parts = _turn_parts(ground, usage)
        turns = Turns(settings, parts, tasks)
        await turns.start()
        sampling = tasks.create_task(usage.run(), name="usage")
        async with _tasked(ground, turns, parts, registry) as tasked:
            yield _service(ground, turns, tasked, registry, usage)
        sampling.cancel()
        await turns.cancel()


def _service(
    ground: Ground, turns: Turns, tasked: Tasked, registry: Registry, usage: UsageWatch
) -> Service:
    settings, edges = ground.settings, ground.edges
    return Service(
        settings=settings,
        database=ground.database,
        presence=ground.presence,
        engine=ground.engine,
        spawner=edges.spawner,
        turns=turns,
        probes=AgentProbes(edges.spawner, edges.clock, ground.expected),
        metrics=ground.counted,
        clock=edges.clock,
        gateway=GatewayStatus(settings.gateway_status_socket, edges.clock),
        expected=ground.expected,
        queue=tasked.queue,
        schedules=tasked.schedules,
        work=tasked.work,
        sweeper=tasked.sweeper,
        registry=registry,
        webhooks=tasked.webhooks,
        output=tasked.output,
        usage=usage,
        stop=edges.stop,
    )


def _usage(ground: Ground) -> UsageWatch:
    spawner, clock = ground.edges.spawner, ground.edges.clock
    name = ground.presence.name
    return UsageWatch(
        UsageParts(ground.settings, ground.database, spawner, clock, name)
    )


def _turn_parts(ground: Ground, usage: UsageWatch) -> TurnParts:
    settings, edges, database = ground.settings, ground.edges, ground.database
    lost = ground.counted.mirror_errors.inc
    stored = StoreParts(database, edges.clock, ground.presence.name, lost)
    return TurnParts(
        database=database,
        engine=ground.engine,
        spawner=edges.spawner,
        watch=TurnWatches(ground.counted, ground.expected),
        clock=edges.clock,
        outbox=Outbox(database, edges.clock, settings.outbound_ttl_days),
        unproved=Unproved(),
        host=ground.presence,
        workdirs=Workdirs(
            settings.work, Naming.of(settings), edges.spawner, edges.clock.monotonic
        ),
        keeping=_keeping(settings, edges, stored),
        admission=usage,
    )


@asynccontextmanager
async def _tasked(
    ground: Ground, turns: Turns, parts: TurnParts, registry: Registry
) -> AsyncIterator[Tasked]:
    """Start what tasks need, beside the turns that they are run as."""
    settings, database, clock = ground.settings, ground.database, ground.edges.clock
    async with (
        output_of(settings, clock) as output,
        Queue(_queue_parts(ground, turns, output)) as queue,
    ):
        schedule_parts = ScheduleParts(settings, database, queue, turns, clock)
        work_parts = WorkParts(
            database,
            ground.edges.spawner,
            clock,
            ground.presence,
            turns.resting,
            queue,
            parts.workdirs,
        )
        hooks = ReceiverParts(settings, registry, database, clock, ground.counted)
        states = issue_states(settings)
        async with (
            running_schedules(schedule_parts) as schedules,
            running_work(work_parts) as work,
            running_sweeps(settings.sweep, work_parts, work, states) as sweeper,
            running_webhooks(hooks, queue, work) as receiver,
        ):
            yield Tasked(output, queue, schedules, work, sweeper, receiver)


def _queue_parts(ground: Ground, turns: Turns, output: Output) -> QueueParts:
    settings, edges, database = ground.settings, ground.edges, ground.database
    runner = edges.runner or TurnRunner(settings, turns, database, edges.spawner)
    return QueueParts(
        settings=settings,
        database=database,
        presence=ground.presence,
        output=output,
        clock=edges.clock,
        runner=runner,
        watch=ground.counted.queue,
    )


def _keeping(
    settings: ControlSettings, edges: Edges, parts: StoreParts
) -> Keeping | None:
    """Return what keeps transcripts in the database, and have the engine use it."""
    keeping = keeping_of(settings.store_sessions, parts, edges.spawner)
    if keeping is not None and edges.keep is not None:
        edges.keep(keeping.store_of)
    return keeping


def _presence(settings: ControlSettings, database: Database, edges: Edges) -> Presence:
    names = [agent.name for agent in settings.agents]
    presence = Presence(
        database, settings.host, names, edges.clock, settings.worker_lost_seconds
    )
    presence.stop_with(edges.stop)
    return presence
