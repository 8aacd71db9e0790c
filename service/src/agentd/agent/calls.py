# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""The fixed calls that control may make, and the CLI processes they start."""

from __future__ import annotations

import asyncio
import os
import re
import signal
from collections.abc import Mapping
from pathlib import Path

from agentd.agent import command
from agentd.agent.log import Log
from agentd.agent.settings import AgentSettings
from agentd.agent.volumes import prepare, probe
from agentd.spawner.dial import Call, CallFailed
from agentd.spawner.frames import FrameKind, encode_json
from agentd.spawner.stream import Launch, StreamedProcess
from agentd.transcripts.find import transcript_state

STREAM = re.compile(r"[0-9a-f]{32}")
STREAM_MARK = "AGENTD_STREAM"
SIGNALS = {"INT": signal.SIGINT, "TERM": signal.SIGTERM, "KILL": signal.SIGKILL}


class AgentCalls:
    """Answers control; its processes live on for their turn when control is gone."""

    def __init__(self, settings: AgentSettings, cli: str, log: Log) -> None:
        self._settings = settings
        self._cli = cli
        self._log = log
        self._processes: dict[str, StreamedProcess] = {}
        self._all_ended = asyncio.Event()
        self._all_ended.set()
        self._draining = False
        self._linked = False
        self._boot_errors = prepare(settings)

    def health(self) -> Mapping[str, object]:
        """Return whether this side can do its work, whether or not control is there."""
        return {
            **self._probe(),
            "connected": self._linked,
            "processes": len(self._processes),
        }

    def _probe(self) -> dict[str, object]:
        result = probe(self._settings)
        if not result["ok"] or self._boot_errors:
            self._boot_errors = prepare(self._settings)
            result = probe(self._settings)
        found = result["errors"]
        errors = [*self._boot_errors, *(found if isinstance(found, list) else [])]
        return {**result, "ok": not errors, "errors": errors}

    def report(self) -> Mapping[str, object]:
        """Return the boot report that greets control."""
        return {
            "agent": self._settings.agent,
            "uid": os.getuid(),
            "pid": os.getpid(),
            "max_processes": self._settings.max_processes,
            "working_directory": self._settings.working_directory,
            **self._probe(),
        }

    def linked(self) -> None:
        """Note that control took the connection."""
        self._linked = True
        self._log.event("info", "control_connected")

    def unlinked(self, reason: str) -> None:
        """Let every process finish its turn: control is not there."""
        if self._linked or self._processes:
            self._log.event("warning", "control_lost", reason=reason)
        self._linked = False
        for process in list(self._processes.values()):
            process.lose()

    def table(self) -> Mapping[str, Call]:
        """Return the fixed calls by name."""
        return {
            "probe": self._call_probe,
            "transcript_state": self._call_transcript_state,
            "start_cli": self._call_start_cli,
            "signal_cli": self._call_signal_cli,
        }

    async def _call_probe(self, _given: Mapping[str, object]) -> Mapping[str, object]:
        return self._probe()

    async def _call_transcript_state(
        self, parameters: Mapping[str, object]
    ) -> Mapping[str, object]:
        session_id, uuid = parameters.get("session_id"), parameters.get("uuid")
        if not _is_uuid(session_id) or not (uuid is None or _is_uuid(uuid)):
            raise CallFailed("session_id and uuid have to be UUIDs.")
        state = transcript_state(
            Path(self._settings.config_directory),
            Path(self._settings.working_directory),
            str(session_id),
            None if uuid is None else str(uuid),
        )
        return {
            "exists": state.exists,
            "size": state.size,
            "holds": state.holds,
            "path": state.path,
            "copies": state.copies,
        }

    async def _call_start_cli(
        self, parameters: Mapping[str, object]
    ) -> Mapping[str, object]:
        stream = _stream(parameters)
        if self._draining:
            raise CallFailed("the agent is stopping. Send it again when it is back.")
        if stream in self._processes:
            raise CallFailed("this stream is taken.")
        if len(self._processes) >= self._settings.max_processes:
            raise CallFailed(
                f"{self._settings.max_processes} processes run already. "
                "Wait for one to end, or raise max_processes."
            )
        health = self._probe()
        if not health["ok"]:
            raise CallFailed("; ".join(str(error) for error in _list(health["errors"])))
        await self._start(stream, parameters.get("start"))
        return {"started": True}

    async def _start(self, stream: str, wish: object) -> None:
        try:
            start = command.parse_start(wish)
        except command.StartRefused as error:
            raise CallFailed(str(error)) from error
        mark = {
            command.MARKER: command.marker(self._settings),
            STREAM_MARK: stream,
        }
        launch = Launch(
            arguments=command.arguments(
                self._cli, start, self._settings.cleanup_period_days
            ),
            environment={**command.environment(self._settings), **mark},
            directory=self._settings.working_directory,
            mark=mark,
        )
        process = StreamedProcess(
            launch, self._settings.drain_seconds, lambda: self._forget(stream)
        )
        self._processes[stream] = process
        self._all_ended.clear()
        try:
            greeting = encode_json(FrameKind.HELLO, {"stream": stream})
            await process.start(self._settings.control_socket, greeting)
        except BaseException:
            self._forget(stream)
            raise
        self._log.event("info", "cli_started", session_id=start.session_id)

    def _forget(self, stream: str) -> None:
        self._processes.pop(stream, None)
        if not self._processes:
            self._all_ended.set()

    async def _call_signal_cli(
        self, parameters: Mapping[str, object]
    ) -> Mapping[str, object]:
        process = self._processes.get(_stream(parameters))
        number = SIGNALS.get(str(parameters.get("signal")))
        if number is None:
            raise CallFailed("the signal is none of INT, TERM and KILL.")
        if process is not None:
            process.signal(number)
        return {"known": process is not None}

    async def drain(self) -> None:
        """Let each process finish its turn, up to the drain time; then kill them."""
        self._draining = True
        self._log.event("info", "draining", processes=len(self._processes))
        for process in list(self._processes.values()):
            process.end_input()
        try:
            async with asyncio.timeout(self._settings.drain_seconds):
                await self._all_ended.wait()
        except TimeoutError:
            self._log.event("warning", "drain_timed_out")
        for process in list(self._processes.values()):
            process.kill()


def _is_uuid(value: object) -> bool:
    return isinstance(value, str) and command.UUID.fullmatch(value) is not None


def _stream(parameters: Mapping[str, object]) -> str:
    stream = parameters.get("stream")
    if not isinstance(stream, str) or STREAM.fullmatch(stream) is None:
        raise CallFailed("the stream's id is none.")
    return stream


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []
