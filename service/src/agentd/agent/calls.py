# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""The fixed calls that control may make, by name."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Mapping
from dataclasses import replace

from agentd.agent.boot import Booted, mend
from agentd.agent.condition import condition, fitted
from agentd.agent.credential_calls import credential_calls
from agentd.agent.log import Log
from agentd.agent.managed import managed_state
from agentd.agent.processes import CliProcesses
from agentd.agent.prune_calls import prune_calls
from agentd.agent.restore import restore_calls
from agentd.agent.settings import AgentSettings
from agentd.agent.skill_calls import skill_calls
from agentd.agent.start import StartRefused, is_uuid, parse_start
from agentd.agent.transcript_calls import places_of, transcript_calls
from agentd.agent.usage_calls import usage_calls
from agentd.agent.workdir_calls import workdir_calls
from agentd.spawner.dial import Call, CallFailed
from agentd.transcripts.find import session_state

GREETING_BYTES = 4 * 1024
STREAM = re.compile(r"[0-9a-f]{32}")


class AgentCalls:
    """Answers control; its processes live on for their turn when control is gone."""

    def __init__(
        self, settings: AgentSettings, cli: str, log: Log, booted: Booted
    ) -> None:
        self._settings = settings
        self._log = log
        self._linked = False
        self._places = places_of(settings)
        self._booted = booted
        self.processes = CliProcesses(settings, cli, log)
        self._table: Mapping[str, Call] = {
            "probe": self._call_probe,
            "transcript_state": self._call_transcript_state,
            "start_cli": self._call_start_cli,
            "signal_cli": self._call_signal_cli,
            **credential_calls(settings, cli),
            **{
                name: self._with_managed_state(call)
                for name, call in skill_calls(settings, booted.skills).items()
            },
            **transcript_calls(settings, self.processes.running),
            **restore_calls(settings, self.processes.running),
            **usage_calls(settings),
            **prune_calls(settings, self.processes.running),
            **workdir_calls(settings, log, self.processes.locks),
        }

    def health(self) -> Mapping[str, object]:
        """Return whether this side can do its work, whether or not control is there."""
        return {
            **self._probe(),
            "connected": self._linked,
            "processes": len(self.processes),
        }

    def _probe(self, durable: bool = True) -> dict[str, object]:
        result = condition(self._settings, self._booted, durable)
        if not result["ok"]:
            self._booted = replace(self._booted, errors=tuple(mend(self._settings)))
            result = condition(self._settings, self._booted)
        return result

    def report(self) -> Mapping[str, object]:
        """Return the boot report that greets control, in the little that it may be."""
        found = self._probe()
        return {
            "agent": self._settings.agent,
            "uid": os.getuid(),
            "pid": os.getpid(),
            "max_processes": self._settings.max_processes,
            "working_directory": self._settings.working_directory,
            "drain_seconds": self._settings.drain_seconds,
            **found,
            "errors": fitted(_texts(found["errors"]), GREETING_BYTES),
            "warnings": fitted(_texts(found["warnings"]), GREETING_BYTES),
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
        self.processes.locks.lose()
        self.processes.lose()

    def table(self) -> Mapping[str, Call]:
        """Return the fixed calls by name."""
        return self._table

    async def drain(self) -> None:
        """Let each process finish its turn, up to the drain time; then kill them."""
        await self.processes.drain()

    async def _call_probe(self, _given: Mapping[str, object]) -> Mapping[str, object]:
        return await asyncio.to_thread(self._probe)

    def _with_managed_state(self, call: Call) -> Call:
        async def answer(parameters: Mapping[str, object]) -> Mapping[str, object]:
            given = self.processes.given()
            managed = await asyncio.to_thread(managed_state, self._settings, given)
            return {**await call(parameters), **managed}

        return answer

    async def _call_transcript_state(
        self, parameters: Mapping[str, object]
    ) -> Mapping[str, object]:
        session_id, uuid = parameters.get("session_id"), parameters.get("uuid")
        if not is_uuid(session_id) or not (uuid is None or is_uuid(uuid)):
            raise CallFailed("session_id and uuid have to be UUIDs.")
        # In a thread: a file of many megabytes must not hold up the other calls.
        state = await asyncio.to_thread(
            session_state,
            self._places,
            str(session_id),
            None if uuid is None else str(uuid),
        )
        return {
            "exists": state.exists,
            "size": state.size,
            "holds": state.holds,
            "path": state.path,
            "copies": state.copies,
            "foreign": state.foreign,
        }

    async def _call_start_cli(
        self, parameters: Mapping[str, object]
    ) -> Mapping[str, object]:
        stream = _stream(parameters)
        self.processes.refuse_more(stream)
        # The health is asked for often, and makes durable what it writes.
        health = await asyncio.to_thread(self._probe, False)
        if not health["ok"]:
            raise CallFailed("; ".join(_texts(health["errors"])))
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


def _texts(value: object) -> list[str]:
    return [str(text) for text in value] if isinstance(value, list) else []
