# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Routes whose refusals are pages too."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from http import HTTPStatus
from typing import Any

from fastapi import APIRouter
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from agentd.api.errors import status_of
from agentd.dashboard.render import page
from agentd.errors import AgentdError
from agentd.log import get_log

log = get_log("dashboard")

Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class PageRoute(APIRoute):
    """A route that shows what it refuses."""

    def get_route_handler(self) -> Handler:
        """Return the handler, with its refusals made pages."""
        handle = super().get_route_handler()

        async def shown(request: Request) -> Response:
            try:
                return await handle(request)
            except AgentdError as error:
                status = status_of(error)
                if status >= 500:
                    log.warning("page_failed", status=status, error=str(error))
                return await refusal(request, status, str(error))
            except RequestValidationError as error:
                return await refusal(request, 400, _words(error))
            except HTTPException as error:
                return await refusal(request, error.status_code, error.detail)

        return shown


async def refusal(request: Request, status: int, error: str) -> Response:
    """Return a page that says why there is none."""
    title = HTTPStatus(status).phrase
    return await page(request, "refused", {"title": title, "error": error}, status)


def pages() -> APIRouter:
    """Return a router of pages, which the document of the API does not list."""
    return APIRouter(
        route_class=PageRoute, prefix="/dashboard", include_in_schema=False
    )


def _words(error: RequestValidationError) -> str:
    first = error.errors()[0]
    where = " ".join(str(part) for part in first["loc"][1:])
    return f"Cannot show this page: {where}: {first['msg']}."
