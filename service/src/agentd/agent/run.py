# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""Run the agent side: boot, relay, dial control, and drain when it is told to stop."""

from __future__ import annotations

import asyncio
import os
import signal

from agentd.agent import command
from agentd.agent.boot import Booted, boot
from agentd.agent.calls import AgentCalls
from agentd.agent.log import Log
from agentd.agent.relay import Relay
from agentd.agent.settings import AgentSettings
from agentd.agent.start import StartRefused
from agentd.errors import AgentdError, SettingsInvalid
from agentd.spawner.dial import Dialler
from agentd.spawner.processes import kill_marked

PRIVATE_UMASK = 0o027


def main(settings: AgentSettings) -> int:
    """Run until SIGTERM or SIGINT; return the exit status."""
    os.umask(PRIVATE_UMASK)
    asyncio.run(_run(settings))
    return 0


async def _run(settings: AgentSettings) -> None:
    log = Log(settings.agent, settings.log_level)
    left = kill_marked({command.MARKER: command.marker(settings)})
    if left:
        log.event("warning", "killed_processes_of_an_earlier_run", count=left)
    cli = _find_cli()
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    booted = await _boot(settings, log)
    calls = AgentCalls(settings, cli, log, booted)
    _log_boot(calls, log)
    async with (
        Relay(settings.gateway_socket, calls.health) as relay,
        await _listen(relay, settings.relay_port),
    ):
        log.event("info", "boot_step", step="serve")
        async with asyncio.TaskGroup() as group:
            dialling = group.create_task(Dialler(settings.control_socket, calls).run())
            await stop.wait()
            await calls.drain()
            dialling.cancel()
        relay.close()
    log.event("info", "stopped")


async def _boot(settings: AgentSettings, log: Log) -> Booted:
    # In a thread, so that a signal during it is noted and obeyed after it.
    try:
        return await asyncio.to_thread(boot, settings, log, os.environ)
    except AgentdError as error:
        log.event("critical", "boot_failed", error=str(error))
        raise


def _find_cli() -> str:
    try:
        return command.find_cli()
    except StartRefused as error:
        raise AgentdError(f"Cannot find the Claude CLI: {error}") from error


def _log_boot(calls: AgentCalls, log: Log) -> None:
    report = calls.report()
    level = "info" if report["ok"] else "error"
    log.event(level, "booted", **{str(key): value for key, value in report.items()})


async def _listen(relay: Relay, port: int) -> asyncio.Server:
    try:
        return await relay.listen(port)
    except OSError as error:
        raise SettingsInvalid(
            f"Cannot listen on 127.0.0.1:{port}: {error.strerror}. "
            "Set relay_port to a free port."
        ) from error
