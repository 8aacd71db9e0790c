# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""The app of control: arguments in, app out, no globals."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from fastapi import FastAPI

from agentd import __version__
from agentd.api import (
    admin,
    agents,
    chat,
    credentials,
    health,
    metrics,
    queue,
    queue_output,
    queue_socket,
    records,
    registry,
    reset,
    sessions,
    sweep,
    usage,
    webhook_settings,
    webhooks,
)
from agentd.api import tasks as scheduled
from agentd.api.edge import Edge, EdgeRules, large_bytes
from agentd.api.errors import add_error_handlers
from agentd.api.gateway_issues import issue_states
from agentd.api.gateway_status import GatewayStatus
from agentd.api.metrics import Metrics, TurnWatches
from agentd.api.openapi import describe
from agentd.api.probes import AgentProbes
from agentd.api.skill_reports import ExpectedSkills
from agentd.api.state import Service
from agentd.clock import Clock
from agentd.conversations.keeping import Keeping, keeping_of
from agentd.conversations.outbox import Outbox
from agentd.conversations.parts import TurnParts
from agentd.conversations.turns import Turns
from agentd.conversations.unproved import Unproved
from agentd.dashboard import routes as dashboard
from agentd.dashboard.live import Changes
from agentd.dashboard.sign_in import SignIn
from agentd.database.open import Database
from agentd.definitions.registry import registry_of
from agentd.engine.mirror_store import BoundStore, StoreParts
from agentd.engine.protocol import ClientWish, Engine
from agentd.hosts.opening import held, opened_database
from agentd.hosts.presence import Presence
from agentd.log import get_log
from agentd.output.open import output_of
from agentd.output.protocol import Output
from agentd.queue.parts import QueueParts, QueueWatch
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
from agentd.webhooks.receiver import ReceiverParts
from agentd.work.naming import Naming
from agentd.work.open import running_work
from agentd.work.work import Work, WorkParts
from agentd.work.workdirs import Workdirs

END_POINTS = (
    *(health, agents, chat, sessions, scheduled, queue, queue_output, queue_socket),
    *(admin, registry, webhook_settings, credentials, metrics, records, usage),
    *(reset, sweep, webhooks, dashboard),
)

log = get_log("app")


@dataclass(frozen=True)
class Edges:
    """What the app meets the world with, beside its engine."""

    spawner: Spawner
    token: str | None = field(default=None, repr=False)
    clock: Clock = field(default_factory=Clock)
    stop: Callable[[str], None] | None = None
    runner: TaskRunner | None = None
    keep: Callable[[Callable[[ClientWish], BoundStore]], None] | None = None


def create_app(settings: ControlSettings, *, engine: Engine, edges: Edges) -> FastAPI:
    """Return the app; its parts start and end with its lifespan.

    The engine is entered by the app; the spawner is entered by the caller.
    """

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with _service(settings, engine, edges) as service:
            app.state.service = service
            yield

    app = FastAPI(
        title="Agentkeep control",
        version=__version__,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
    )
    for part in END_POINTS:
        app.include_router(part.router)
    add_error_handlers(app)
    app.state.changes = Changes()
    cookie = f"agentkeep-{settings.deployment}"
    app.state.sign_in = SignIn(edges.token, edges.clock, cookie)
    rules = EdgeRules(
        edges.token,
        __version__,
        health.build_commit(),
        large_bytes=large_bytes(settings.upload_max_bytes),
        sign_in=app.state.sign_in,
    )
    app.add_middleware(Edge, rules=rules)
    describe(app)
    return app


@asynccontextmanager
async def _service(
    settings: ControlSettings, engine: Engine, edges: Edges
) -> AsyncIterator[Service]:
    """Start the parts of control, and end them in the other order."""
    async with (
        opened_database(settings.database_address.url) as database,
        held(_presence(settings, database, edges)) as presence,
        engine,
        asyncio.TaskGroup() as tasks,
    ):
        counted, expected = Metrics(), ExpectedSkills()
        engine.watch(counted)
        usage_parts = UsageParts(
            settings, database, edges.spawner, edges.clock, presence.name
        )
        watch = UsageWatch(usage_parts)
        ground = Ground(database, presence, engine, watch)
        parts = _turn_parts(settings, edges, ground, counted, expected)
        definitions = registry_of(settings)
        await asyncio.to_thread(definitions.settle)
        turns = Turns(settings, parts, tasks)
        await turns.start()
        sampling = tasks.create_task(watch.run(), name="usage")
        hooks = ReceiverParts(settings, definitions, database, edges.clock, counted)
        async with (
            _queued(settings, edges, turns, parts, counted.queue) as tasked,
            running_webhooks(hooks, tasked.queue, tasked.work) as receiver,
        ):
            yield Service(
                settings=settings,
                database=database,
                presence=presence,
                engine=engine,
                spawner=edges.spawner,
                turns=turns,
                probes=AgentProbes(edges.spawner, edges.clock, expected),
                metrics=counted,
                clock=edges.clock,
                gateway=GatewayStatus(settings.gateway_status_socket, edges.clock),
                expected=expected,
                queue=tasked.queue,
                schedules=tasked.schedules,
                work=tasked.work,
                sweeper=tasked.sweeper,
                registry=definitions,
                webhooks=receiver,
                output=tasked.output,
                usage=watch,
                stop=edges.stop,
            )
        sampling.cancel()
        await turns.cancel()


@dataclass(frozen=True)
class Ground:
    """What everything else stands on."""

    database: Database
    presence: Presence
    engine: Engine
    usage: UsageWatch


def _turn_parts(
    settings: ControlSettings,
    edges: Edges,
    ground: Ground,
    counted: Metrics,
    expected: ExpectedSkills,
) -> TurnParts:
    database, clock = ground.database, edges.clock
    lost = counted.mirror_errors.inc
    stored = StoreParts(database, clock, ground.presence.name, lost)
    return TurnParts(
        database=database,
        engine=ground.engine,
        spawner=edges.spawner,
        watch=TurnWatches(counted, expected),
        clock=clock,
        outbox=Outbox(database, clock, settings.outbound_ttl_days),
        unproved=Unproved(),
        host=ground.presence,
        workdirs=Workdirs(
            settings.work, Naming.of(settings), edges.spawner, clock.monotonic
        ),
        keeping=_keeping(settings, edges, stored),
        admission=ground.usage,
    )


@dataclass(frozen=True)
class Queued:
    """What tasks are queued, scheduled and followed with."""

    output: Output
    queue: Queue
    schedules: Schedules
    work: Work
    sweeper: Sweeper


@asynccontextmanager
async def _queued(
    settings: ControlSettings,
    edges: Edges,
    turns: Turns,
    parts: TurnParts,
    watch: QueueWatch,
) -> AsyncIterator[Queued]:
    """Start what tasks need, beside the turns that they are run as."""
    database, clock = parts.database, edges.clock
    runner = edges.runner or TurnRunner(settings, turns, database, edges.spawner)
    async with output_of(settings, clock) as output:
        queue_parts = QueueParts(
            settings=settings,
            database=database,
            presence=parts.host,
            output=output,
            clock=clock,
            runner=runner,
            watch=watch,
        )
        async with Queue(queue_parts) as queue:
            schedule_parts = ScheduleParts(settings, database, queue, turns, clock)
            work_parts = WorkParts(
                database,
                edges.spawner,
                clock,
                parts.host,
                turns.resting,
                queue,
                parts.workdirs,
            )
            states = issue_states(settings)
            async with (
                running_schedules(schedule_parts) as schedules,
                running_work(work_parts) as work,
                running_sweeps(settings.sweep, work_parts, work, states) as sweeper,
            ):
                yield Queued(output, queue, schedules, work, sweeper)


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
