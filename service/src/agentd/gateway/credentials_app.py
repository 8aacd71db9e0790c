# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""How control gives the gateway credentials, on the socket that no agent reaches."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from agentd.credentials.credential import MAX_BYTES, read_credential
from agentd.errors import CredentialsRefused
from agentd.gateway.credentials import CredentialsView, NotKept
from agentd.gateway.exchange import Upstream

PATH = "/credentials"
BODY_SECONDS = 10.0
OFFLINE = (
    "Cannot take credentials: the upstream is the offline model, which needs none. "
    "Set deployment_uploaded_credentials to true, and deploy."
)


class CredentialsEndpoint:
    """Takes credentials, forgets them, and tells how they stand."""

    def __init__(self, upstream: Upstream, is_signed_out: Callable[[], bool]) -> None:
        self._credentials = upstream.credentials
        self._is_offline = upstream.is_offline
        self._is_signed_out = is_signed_out

    def routes(self) -> list[Route]:
        """Return what is answered on which method."""
        deeds = {"GET": self.show, "PUT": self.put, "DELETE": self.remove}
        return [Route(PATH, deed, methods=[name]) for name, deed in deeds.items()]

    async def show(self, request: Request) -> Response:
        """Tell how the credentials stand."""
        return self._view()

    async def put(self, request: Request) -> Response:
        """Take credentials and use them from now on."""
        if self._is_offline:
            return JSONResponse({"error": OFFLINE}, status_code=409)
        try:
            content = await _body(request)
            await self._credentials.put(read_credential(content, time.time()))
        except CredentialsRefused as error:
            return JSONResponse({"error": str(error)}, status_code=400)
        except NotKept as error:
            return JSONResponse({"error": str(error)}, status_code=503)
        except (ClientDisconnect, TimeoutError):
            late = "The body was not whole in time. Send it again."
            return JSONResponse({"error": late}, status_code=408)
        return self._view()

    async def remove(self, request: Request) -> Response:
        """Forget what was uploaded, and use what is declared from now on."""
        try:
            await self._credentials.remove()
        except NotKept as error:
            return JSONResponse({"error": str(error)}, status_code=503)
        return self._view()

    def _view(self) -> Response:
        if self._is_offline:
            return JSONResponse(CredentialsView("not_used").for_output())
        view = self._credentials.view(signed_out=self._is_signed_out())
        return JSONResponse(view.for_output())


async def _body(request: Request) -> bytes:
    content = bytearray()
    async with asyncio.timeout(BODY_SECONDS):
        async for part in request.stream():
            content += part
            if len(content) > MAX_BYTES:
                break
    return bytes(content)
