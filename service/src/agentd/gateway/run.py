# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""Run the gateway: one server over every agent's socket, and the way to the model."""

from __future__ import annotations

import asyncio
import math
import signal
import socket
import tempfile
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path

import httpx
import uvicorn
from starlette.types import ASGIApp

from agentd.errors import SettingsInvalid
from agentd.gateway.app import BySocket, create_app
from agentd.gateway.forward import Agent, Upstream
from agentd.gateway.protocol import SocketProtocol
from agentd.log import configure_log, get_log
from agentd.settings import GatewaySettings, read_secret
from agentd.spawner.listen import listen, socket_path

SOCKET_NAME = "gateway.sock"
OFFLINE_URL = "http://offline-model"
KEEP_ALIVE_SECONDS = 900
CONNECT_TIMEOUT_SECONDS = 10.0
WRITE_TIMEOUT_SECONDS = 60.0

_log = get_log("gateway")


def main(settings: GatewaySettings) -> int:
    """Run until SIGTERM or SIGINT, then finish what streams; return the status."""
    configure_log("gateway", settings.log_level)
    asyncio.run(_run(settings))
    return 0


async def _run(settings: GatewaySettings) -> None:
    # Uvicorn raises the signal again when it has drained; without a handler of
    # ours, that would end the process before its sockets are removed.
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, _note_signal)
    async with serving(settings) as (server, sockets):
        _log.info("gateway_started", agents=settings.agents, upstream=settings.upstream)
        await server.serve(sockets)
    _log.info("gateway_stopped")


def _note_signal() -> None:
    _log.info("gateway_draining")


@asynccontextmanager
async def serving(
    settings: GatewaySettings,
) -> AsyncIterator[tuple[uvicorn.Server, list[socket.socket]]]:
    """Yield the server and its sockets; remove them afterwards."""
    with ExitStack() as stack:
        directory = Path(settings.sockets_directory)
        agents: dict[str, Agent] = {}
        sockets = []
        for name in settings.agents:
            path = socket_path(directory, name, SOCKET_NAME)
            sockets.append(_listen(stack, path))
            agents[str(path)] = Agent(name)
        apps: dict[str, ASGIApp] = {}
        transport: httpx.AsyncHTTPTransport
        if settings.upstream == "offline":
            offline_path, listener = _offline(stack, apps)
            sockets.append(listener)
            transport = httpx.AsyncHTTPTransport(uds=offline_path, limits=_limits())
        else:
            transport = httpx.AsyncHTTPTransport(limits=_limits())
        async with httpx.AsyncClient(
            transport=transport, timeout=_timeout(settings), trust_env=False
        ) as client:
            gateway = create_app(agents, _upstream(settings, client))
            apps.update(dict.fromkeys(agents, gateway))
            yield _server(settings, BySocket(apps)), sockets


def _listen(stack: ExitStack, path: Path) -> socket.socket:
    listener = stack.enter_context(listen(path))
    stack.callback(path.unlink, missing_ok=True)
    return listener


def _offline(stack: ExitStack, apps: dict[str, ASGIApp]) -> tuple[str, socket.socket]:
    from agentd.offline_model.app import create_app as create_offline_model

    directory = stack.enter_context(tempfile.TemporaryDirectory(prefix="agentd-"))
    path = Path(directory) / "offline.sock"
    apps[str(path)] = create_offline_model()
    return str(path), _listen(stack, path)


def _limits() -> httpx.Limits:
    # Bounded for each agent where its requests come in, so that none of them
    # can use up a pool that the others need.
    return httpx.Limits(max_connections=None, max_keepalive_connections=32)


def _timeout(settings: GatewaySettings) -> httpx.Timeout:
    return httpx.Timeout(
        settings.upstream_timeout_seconds,
        connect=CONNECT_TIMEOUT_SECONDS,
        write=WRITE_TIMEOUT_SECONDS,
    )


def _upstream(settings: GatewaySettings, client: httpx.AsyncClient) -> Upstream:
    offline = settings.upstream == "offline"
    return Upstream(
        client=client,
        url=OFFLINE_URL if offline else settings.upstream,
        max_request_bytes=settings.max_request_bytes,
        api_key=None if offline else _api_key(settings),
    )


def _api_key(settings: GatewaySettings) -> str | None:
    if settings.api_key_file is None:
        return None
    key = read_secret(settings.api_key_file, "api_key_file")
    if not key.isascii() or not key.isprintable() or " " in key:
        raise SettingsInvalid(
            f'Cannot use the key in "{settings.api_key_file}": it has characters '
            "that no key has. Write the key alone into it."
        )
    return key


def _server(settings: GatewaySettings, app: ASGIApp) -> uvicorn.Server:
    config = uvicorn.Config(
        app,
        http=SocketProtocol,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        date_header=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=math.ceil(settings.drain_seconds),
    )
    return uvicorn.Server(config)
