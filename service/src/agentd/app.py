# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""The app of control: arguments in, app out, no globals."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

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
from agentd.api.openapi import describe
from agentd.dashboard import routes as dashboard
from agentd.dashboard.live import Changes
from agentd.dashboard.sign_in import SignIn
from agentd.engine.protocol import Engine
from agentd.running import Edges, running_service
from agentd.settings import ControlSettings

END_POINTS = (
    *(health, agents, chat, sessions, scheduled, queue, queue_output, queue_socket),
    *(admin, registry, webhook_settings, credentials, metrics, records, usage),
    *(reset, sweep, webhooks, dashboard),
)


def create_app(settings: ControlSettings, *, engine: Engine, edges: Edges) -> FastAPI:
    """Return the app; its parts start and end with its lifespan.

    The engine is entered by the app; the spawner is entered by the caller.
    """

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with running_service(settings, engine, edges) as service:
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
