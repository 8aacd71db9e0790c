# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""Run the gateway: one server over every agent's socket, and the way to the model."""

from __future__ import annotations

import asyncio
import math
import resource
import signal
import socket
import tempfile
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import uvicorn
from starlette.types import ASGIApp

from agentd.gateway.account import Account
from agentd.gateway.app import BySocket, create_app
from agentd.gateway.credentials import Credentials
from agentd.gateway.exchange import Upstream
from agentd.gateway.forge_access import forges_of
from agentd.gateway.key import ModelKey
from agentd.gateway.ledger import Ledger
from agentd.gateway.protocol import SocketProtocol
from agentd.gateway.status_app import Report, create_status_app
from agentd.gateway.store import UsageStore
from agentd.gateway_settings import AgentRules, GatewaySettings
from agentd.log import configure_log, get_log
from agentd.spawner.listen import listen, socket_path

SOCKET_NAME = "gateway.sock"
OFFLINE = "offline"
OFFLINE_URL = "http://offline-model"
KEEP_ALIVE_SECONDS = 900
CONNECT_TIMEOUT_SECONDS = 10.0
WRITE_TIMEOUT_SECONDS = 60.0
MAX_HEADERS_BYTES = 32 * 1024

_log = get_log("gateway")


def main(settings: GatewaySettings) -> int:
    """Run until SIGTERM or SIGINT, then finish what streams; return the status."""
    configure_log("gateway", settings.log_level)
    asyncio.run(_run(settings))
    return 0


async def _run(settings: GatewaySettings) -> None:
    stop = Stop()
    # Uvicorn takes the signals while it serves, and raises them again when it has
    # drained; without a handler of ours before and after, one that comes early would
    # be lost, and a late one end the process before its sockets are removed.
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.note)
    _allow_many_files()
    async with serving(settings) as (server, sockets):
        stop.server = server
        if not stop.asked:
            _log.info(
                "gateway_started", agents=settings.agents, upstream=settings.upstream
            )
            await server.serve(sockets)
    _log.info("gateway_stopped")


@dataclass
class Stop:
    """Whether the gateway was told to stop, at whatever time."""

    server: uvicorn.Server | None = None
    asked: bool = False

    def note(self) -> None:
        """Take the signal."""
        self.asked = True
        if self.server is not None:
            self.server.should_exit = True
        _log.info("gateway_draining")


def _allow_many_files() -> None:
    """Let the connections of one agent not take the descriptors of the others."""
    _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


@asynccontextmanager
async def serving(
    settings: GatewaySettings,
) -> AsyncIterator[tuple[uvicorn.Server, list[socket.socket]]]:
    """Yield the server and its sockets; remove them afterwards."""
    accounts = _accounts(settings)
    ledger = Ledger(accounts, _store(settings))
    with ExitStack() as stack:
        async with AsyncExitStack() as opened:
            await opened.enter_async_context(ledger.kept())
            apps: dict[str, ASGIApp] = {}
            way = await opened.enter_async_context(_transport(settings, stack, apps))
            upstream = _upstream(settings, way, accounts)
            forges = await opened.enter_async_context(forges_of(settings))
            by_socket = _by_socket(settings, accounts)
            gateway = create_app(by_socket, upstream, forges)
            apps.update(dict.fromkeys(by_socket, gateway))
            if settings.status_socket is not None:
                report = Report(time.time(), upstream, ledger, forges)
                apps[settings.status_socket] = create_status_app(report)
            sockets = [_listen(stack, Path(path)) for path in apps]
            yield _server(settings, BySocket(apps)), sockets


def _accounts(settings: GatewaySettings) -> dict[str, Account]:
    return {
        name: Account(
            name, settings.rules.get(name, AgentRules()), settings.prices, time.time
        )
        for name in settings.agents
    }


def _store(settings: GatewaySettings) -> UsageStore | None:
    directory = settings.usage_directory
    return None if directory is None else UsageStore(Path(directory))


def _by_socket(
    settings: GatewaySettings, accounts: Mapping[str, Account]
) -> dict[str, Account]:
    directory = Path(settings.sockets_directory)
    return {
        str(socket_path(directory, name, SOCKET_NAME)): account
        for name, account in accounts.items()
    }


def _listen(stack: ExitStack, path: Path) -> socket.socket:
    listener = stack.enter_context(listen(path))
    stack.callback(path.unlink, missing_ok=True)
    return listener


def _transport(
    settings: GatewaySettings, stack: ExitStack, apps: dict[str, ASGIApp]
) -> httpx.AsyncHTTPTransport:
    # Bounded for each agent where its requests come in, so that none of them
    # can use up a pool that the others need.
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=128)
    path = None if settings.upstream != OFFLINE else _offline(stack, apps)
    return httpx.AsyncHTTPTransport(uds=path, limits=limits, trust_env=False)


def _offline(stack: ExitStack, apps: dict[str, ASGIApp]) -> str:
    from agentd.offline_model.app import create_app as create_offline_model

    directory = stack.enter_context(tempfile.TemporaryDirectory(prefix="agentd-"))
    path = str(Path(directory) / "offline.sock")
    apps[path] = create_offline_model()
    return path


def _upstream(
    settings: GatewaySettings,
    transport: httpx.AsyncBaseTransport,
    accounts: Mapping[str, Account],
) -> Upstream:
    def forget_refusals() -> None:
        for account in accounts.values():
            account.note_new_key()

    offline = settings.upstream == OFFLINE
    path, directory = settings.api_key_file, settings.credentials_directory
    return Upstream(
        transport=transport,
        url=OFFLINE_URL if offline else settings.upstream,
        max_request_bytes=settings.max_request_bytes,
        timeout={
            "connect": CONNECT_TIMEOUT_SECONDS,
            "write": WRITE_TIMEOUT_SECONDS,
            "read": settings.upstream_timeout_seconds,
            "pool": settings.upstream_timeout_seconds,
        },
        is_offline=offline,
        credentials=Credentials(
            None if offline or path is None else ModelKey(path, forget_refusals),
            None if directory is None else Path(directory),
            forget_refusals,
        ),
    )


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
        h11_max_incomplete_event_size=MAX_HEADERS_BYTES,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=math.ceil(settings.drain_seconds),
    )
    return uvicorn.Server(config)
