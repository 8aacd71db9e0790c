# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""The fixed calls that control may make, by name."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path

from agentd.agent.log import Log
from agentd.agent.processes import CliProcesses
from agentd.agent.settings import AgentSettings
from agentd.agent.skill_calls import skill_calls
from agentd.agent.start import StartRefused, is_uuid, parse_start
from agentd.agent.transcript_calls import transcript_calls
from agentd.agent.volumes import prepare, probe
from agentd.spawner.dial import Call, CallFailed
from agentd.transcripts.find import transcript_state

STREAM = re.compile(r"[0-9a-f]{32}")


class AgentCalls:
    """Answers control; its processes live on for their turn when control is gone."""

    def __init__(self, settings: AgentSettings, cli: str, log: Log) -> None:
        self._settings = settings
        self._log = log
        self._linked = False
        self._boot_errors = prepare(settings)
        self.processes = CliProcesses(settings, cli, log)
        self._table: Mapping[str, Call] = {
            "probe": self._call_probe,
            "transcript_state": self._call_transcript_state,
            "start_cli": self._call_start_cli,
            "signal_cli": self._call_signal_cli,
            **skill_calls(settings),
            **transcript_calls(settings, self.processes.running),
        }

    def health(self) -> Mapping[str, object]:
        """Return whether this side can do its work, whether or not control is there."""
        return {
            **self._probe(),
            "connected": self._linked,
            "processes": len(self.processes),
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
        if self._linked or len(self.processes):
            self._log.event("warning", "control_lost", reason=reason)
        self._linked = False
        self.processes.lose()

    def table(self) -> Mapping[str, Call]:
        """Return the fixed calls by name."""
        return self._table

    async def drain(self) -> None:
        """Let each process finish its turn, up to the drain time; then kill them."""
        await self.processes.drain()

    async def _call_probe(self, _given: Mapping[str, object]) -> Mapping[str, object]:
        return self._probe()

    async def _call_transcript_state(
        self, parameters: Mapping[str, object]
    ) -> Mapping[str, object]:
        session_id, uuid = parameters.get("session_id"), parameters.get("uuid")
        if not is_uuid(session_id) or not (uuid is None or is_uuid(uuid)):
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
        self.processes.refuse_more(stream)
        health = self._probe()
        if not health["ok"]:
            raise CallFailed("; ".join(str(error) for error in _list(health["errors"])))
        try:
            start = parse_start(parameters.get("start"))
        except StartRefused as error:
            raise CallFailed(str(error)) from error
        await self.processes.start(stream, start)
        return {"started": True}

    async def _call_signal_cli(
        self, parameters: Mapping[str, object]
    ) -> Mapping[str, object]:
        stream = _stream(parameters)
        known = self.processes.signal(stream, str(parameters.get("signal")))
        return {"known": known}


def _stream(parameters: Mapping[str, object]) -> str:
    stream = parameters.get("stream")
    if not isinstance(stream, str) or STREAM.fullmatch(stream) is None:
        raise CallFailed("the stream's id is none.")
    return stream


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []
