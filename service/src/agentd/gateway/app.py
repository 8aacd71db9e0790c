# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""What the gateway answers an agent: the Messages API's two paths, git, its health."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from agentd.gateway.account import Account
from agentd.gateway.exchange import MESSAGES, Upstream
from agentd.gateway.forge_access import ForgeAccess
from agentd.gateway.forward import Forwarder
from agentd.gateway.git_app import GitEndpoint

PATHS = (MESSAGES, "/v1/messages/count_tokens")


def create_app(
    accounts: Mapping[str, Account],
    upstream: Upstream,
    forges: Mapping[str, ForgeAccess] | None = None,
) -> Starlette:
    """Return the gateway for agents by the path of their socket."""
    git = Mount("/git", GitEndpoint(accounts, forges or {}))
    routes = [
        Route(
            path, ForwardEndpoint(accounts, Forwarder(upstream, path)), methods=["POST"]
        )
        for path in PATHS
    ]
    app = Starlette(
        routes=[*routes, git, Route("/health", _health, methods=["GET"])],
        exception_handlers={HTTPException: _refuse},
    )
    app.state.accounts = accounts
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

    def __init__(self, accounts: Mapping[str, Account], forwarder: Forwarder) -> None:
        self._accounts = accounts
        self._forwarder = forwarder

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        account = self._accounts[scope["server"][0]]
        await self._forwarder.handle(account, scope, receive, send)


async def _health(request: Request) -> Response:
    accounts = cast(Mapping[str, Account], request.app.state.accounts)
    account = accounts[request.scope["server"][0]]
    return JSONResponse(
        {
            "status": "ok",
            "agent": account.name,
            "upstream": request.app.state.upstream,
            **account.status().for_output(),
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
