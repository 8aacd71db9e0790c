# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""The app of control: arguments in, app out, no globals."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from agentd import __version__
from agentd.api import agents, chat, health, metrics
from agentd.api.edge import Edge, EdgeRules
from agentd.api.errors import add_error_handlers
from agentd.api.metrics import Metrics
from agentd.api.probes import AgentProbes
from agentd.api.state import Service
from agentd.clock import Clock
from agentd.conversations.run import TurnParts
from agentd.conversations.turns import Turns
from agentd.database.conversations import reset_running
from agentd.database.open import Database, open_database
from agentd.engine.protocol import Engine
from agentd.errors import DatabaseFailed
from agentd.log import get_log
from agentd.settings import ControlSettings
from agentd.spawner.protocol import Spawner

log = get_log("app")


@dataclass(frozen=True)
class Edges:
    """What the app meets the world with, beside its engine."""

    spawner: Spawner
    token: str | None = field(default=None, repr=False)
    clock: Clock = field(default_factory=Clock)


def create_app(settings: ControlSettings, *, engine: Engine, edges: Edges) -> FastAPI:
    """Return the app; its parts start and end with its lifespan.

    The engine is entered by the app; the spawner is entered by the caller.
    """

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with (
            _database(settings.database_url) as database,
            engine,
            asyncio.TaskGroup() as tasks,
        ):
            counted = Metrics()
            parts = TurnParts(database, engine, edges.spawner, counted)
            turns = Turns(settings, parts, tasks, edges.clock)
            app.state.service = Service(
                settings=settings,
                database=database,
                engine=engine,
                spawner=edges.spawner,
                turns=turns,
                probes=AgentProbes(edges.spawner, edges.clock),
                metrics=counted,
                clock=edges.clock,
            )
            yield
            await turns.cancel()

    app = FastAPI(
        title="Agentkeep control",
        version=__version__,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
    )
    for part in (health, agents, chat, metrics):
        app.include_router(part.router)
    add_error_handlers(app)
    rules = EdgeRules(edges.token, __version__, health.build_commit())
    app.add_middleware(Edge, rules=rules)
    _describe(app)
    return app


@asynccontextmanager
async def _database(url: str) -> AsyncIterator[Database]:
    """Open the database; a kill may have left conversations that seem to run."""
    async with AsyncExitStack() as stack:
        try:
            database = await stack.enter_async_context(open_database(url))
            async with database.write() as connection:
                count = await reset_running(connection)
        except DatabaseFailed as error:
            log.critical("control_cannot_start", error=str(error))
            raise
        log.info("running_conversations_reset", count=count)
        yield database


def _describe(app: FastAPI) -> None:
    """Make the OpenAPI document tell what is really answered and needed."""

    def describe() -> dict[str, Any]:
        if app.openapi_schema is None:
            schema = get_openapi(
                title=app.title, version=app.version, routes=app.routes
            )
            schema["components"]["securitySchemes"] = {
                "token": {"type": "http", "scheme": "bearer"}
            }
            for path, operations in schema["paths"].items():
                for operation in operations.values():
                    # Invalid requests are refused with 400, in our own shape.
                    operation["responses"].pop("422", None)
                    operation["security"] = [] if path == "/health" else [{"token": []}]
            for unused in ("HTTPValidationError", "ValidationError"):
                schema["components"]["schemas"].pop(unused, None)
            app.openapi_schema = schema
        return app.openapi_schema

    app.openapi = describe  # type: ignore[method-assign]
