# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""``agentd serve``: wires control and runs it until it is told to stop."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import uvicorn
from fastapi import FastAPI

from agentd import __version__
from agentd.api.protocol import SOCKET_OPTIONS, ControlProtocol
from agentd.api.state import Service
from agentd.app import create_app
from agentd.clock import Clock
from agentd.engine.claude import ClaudeClients
from agentd.engine.limits import limits_of
from agentd.engine.pool import Pool
from agentd.engine.pooled import PooledEngine
from agentd.errors import SettingsInvalid
from agentd.legacy import variable_warnings
from agentd.log import configure_log, get_log
from agentd.output.redis_address import read_redis_address
from agentd.running import Edges
from agentd.settings import ControlSettings, read_secret
from agentd.spawner.control import SocketSpawner

FLUSH_SECONDS = 5
BACKLOG = 2048
GONE_MS = 60_000
SIGNALS = (signal.SIGTERM, signal.SIGINT)

log = get_log("serve")


class StopRequest:
    """What a signal or a caller wants: once to drain, a second signal to hurry."""

    def __init__(self) -> None:
        self.event = asyncio.Event()
        self._asked = False

    def by_signal(self) -> None:
        """Ask to stop, or to hurry."""
        self._asked = True
        self.event.set()

    def by_caller(self, reason: str) -> None:
        """Ask to stop; a caller cannot hurry what runs."""
        log.info("stop_asked_for", reason=reason)
        if not self._asked:
            self.by_signal()


class Server(uvicorn.Server):
    """A server that leaves the signals to us: it would close the door too early."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture nothing."""
        yield


def main(settings: ControlSettings) -> int:
    """Run control; return the exit status."""
    configure_log("control", settings.log_level)
    for warning in variable_warnings(os.environ):
        log.warning("legacy_variable", warning=warning)
    return asyncio.run(run(settings))


async def run(settings: ControlSettings) -> int:
    """Serve until a signal comes and the running turns have ended."""
    clock = Clock()
    token = None
    if settings.api_token_file is not None:
        token = read_secret(settings.api_token_file, "api_token_file")
    if settings.redis_url_file is not None:
        # Refused here, in one line, and not in the midst of the start.
        read_redis_address(read_secret(settings.redis_url_file, "redis_url_file"))
    limits = limits_of(settings, os.cpu_count() or 1)
    names = [agent.name for agent in settings.agents]
    spawner = SocketSpawner(Path(settings.sockets_directory), names, clock.monotonic)
    clients = ClaudeClients(spawner)
    pool = Pool(clients, limits, clock.monotonic)
    stop = StopRequest()
    edges = Edges(
        spawner=spawner,
        token=token,
        clock=clock,
        stop=stop.by_caller,
        keep=clients.keep,
    )
    app = create_app(settings, engine=PooledEngine(pool), edges=edges)
    async with spawner:
        status = await _serve(settings, app, stop)
    log.info("control_stopped")
    return status


async def _serve(settings: ControlSettings, app: FastAPI, stop: StopRequest) -> int:
    server = Server(
        uvicorn.Config(
            app,
            http=ControlProtocol,
            ws="none",
            **SOCKET_OPTIONS,
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=FLUSH_SECONDS,
        )
    )
    listener = listen(settings.listen_host, settings.listen_port)
    loop = asyncio.get_running_loop()
    for number in SIGNALS:
        loop.add_signal_handler(number, stop.by_signal)
    try:
        async with asyncio.TaskGroup() as tasks:
            stopper = tasks.create_task(_stop(settings, app, server, stop.event))
            log.info("control_starts", version=__version__, port=settings.listen_port)
            await server.serve(sockets=[listener])
            stopper.cancel()
    finally:
        for number in SIGNALS:
            loop.remove_signal_handler(number)
    return 0 if server.started else 1


def listen(host: str, port: int) -> socket.socket:
    """Return a listening socket; raise SettingsInvalid if it cannot be had."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # With the protocol left at 0, asyncio does not set TCP_NODELAY on what it
    # accepts, and each answer waits 40 ms for the caller's delayed ACK.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        # Whoever is gone without a word, while something is written to it, is noticed.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, GONE_MS)
        listener.bind((host, port))
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        raise SettingsInvalid(
            f"Cannot listen on {host} port {port}: {error.strerror or error}. "
            "Set listen_host and listen_port to an address that is free."
        ) from error
    return listener


async def _drain(settings: ControlSettings, service: Service) -> None:
    """Let running tasks and turns end; a task's turn ends before the task does."""
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(service.queue.drain(settings.drain_seconds))
        tasks.create_task(service.turns.drain(settings.drain_seconds))


async def _stop(
    settings: ControlSettings, app: FastAPI, server: Server, stop: asyncio.Event
) -> None:
    """Wait for a signal, then let running turns end; a second signal hurries."""
    await stop.wait()
    service = getattr(app.state, "service", None)
    if service is not None:
        log.info("draining", running=service.turns.running_count)
        stop.clear()
        async with asyncio.TaskGroup() as tasks:
            drain = tasks.create_task(_drain(settings, service))
            hurry = tasks.create_task(stop.wait())
            await asyncio.wait({drain, hurry}, return_when=asyncio.FIRST_COMPLETED)
            drain.cancel()
            hurry.cancel()
        # What did not end in time is left to the agents' sides while its caller is
        # still connected, so that it is told.
        left = await service.turns.hand_over()
        log.info("handed_over", turns=left)
        # Whoever follows a task of another host would hold the service.
        service.output.dismiss()
    server.should_exit = True
