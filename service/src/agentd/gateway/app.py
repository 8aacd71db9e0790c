# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""What the gateway answers: two paths of the Messages API, and its own health."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from agentd.gateway.forward import Agent, Forwarder, Upstream

PATHS = ("/v1/messages", "/v1/messages/count_tokens")


def create_app(agents: Mapping[str, Agent], upstream: Upstream) -> Starlette:
    """Return the gateway for agents by the path of their socket."""
    routes = [
        Route(
            path, ForwardEndpoint(agents, Forwarder(upstream, path)), methods=["POST"]
        )
        for path in PATHS
    ]
    app = Starlette(
        routes=[*routes, Route("/health", _health, methods=["GET"])],
        exception_handlers={HTTPException: _refuse},
    )
    app.state.agents = agents
    app.state.upstream = upstream.url
    app.router.redirect_slashes = False
    return app


class BySocket:
    """Sends each request to the application of the socket that it came by."""

    def __init__(self, apps: Mapping[str, ASGIApp]) -> None:
        self._apps = apps

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        await self._apps[scope["server"][0]](scope, receive, send)


class ForwardEndpoint:
    """Passes requests on for the agent whose socket they came by."""

    def __init__(self, agents: Mapping[str, Agent], forwarder: Forwarder) -> None:
        self._agents = agents
        self._forwarder = forwarder

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        agent = self._agents[scope["server"][0]]
        await self._forwarder.handle(agent, scope, receive, send)


async def _health(request: Request) -> Response:
    agents = cast(Mapping[str, Agent], request.app.state.agents)
    agent = agents[request.scope["server"][0]]
    return JSONResponse(
        {
            "status": "ok",
            "agent": agent.name,
            "upstream": request.app.state.upstream,
            "usage": agent.counters.for_output(),
        }
    )


async def _refuse(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    kinds = {404: "not_found_error", 405: "invalid_request_error"}
    kind = kinds.get(error.status_code, "api_error")
    message = (
        f"The gateway does not pass {request.method} on this path: "
        f"only POST on {' and '.join(PATHS)} reaches the model."
    )
    return JSONResponse(
        {"type": "error", "error": {"type": kind, "message": message}},
        status_code=error.status_code,
    )
