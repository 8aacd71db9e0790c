# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""The CLI processes that run here: started, signalled, drained, known by session."""

from __future__ import annotations

import asyncio
import signal
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from agentd.agent import command
from agentd.agent.cli_settings import settle_state_file
from agentd.agent.definitions import Definitions
from agentd.agent.log import Log
from agentd.agent.managed import EXCLUSIVE, Given, given_now, managed_present
from agentd.agent.persona import PersonaUnusable, org_persona
from agentd.agent.settings import AgentSettings
from agentd.spawner.dial import CallFailed
from agentd.spawner.frames import FrameKind, encode_json
from agentd.spawner.protocol import CliStart
from agentd.spawner.stream import Launch, StreamedProcess
from agentd.transcripts.find import transcript_state
from agentd.workdirs.listing import is_within
from agentd.workdirs.locks import TreeLocks
from agentd.workdirs.names import parse_repository
from agentd.workdirs.places import is_directory, places_of

STREAM_MARK = "AGENTD_STREAM"
# What has nothing left to do exits within a second of its input's end.
OTHER_ENDS_SECONDS = 5.0
SIGNALS = {"INT": signal.SIGINT, "TERM": signal.SIGTERM, "KILL": signal.SIGKILL}


@dataclass(frozen=True)
class Running:
    """One CLI process, the session that it writes, and what it read at its start."""

    session_id: str
    given: Given
    directory: str
    process: StreamedProcess


class CliProcesses:
    """Starts CLI processes; they live on for their turn when control is gone."""

    def __init__(self, settings: AgentSettings, cli: str, log: Log) -> None:
        self._settings = settings
        self._cli = cli
        self._log = log
        self._running: dict[str, Running] = {}
        self._starting: list[str] = []
        self._all_ended = asyncio.Event()
        self._all_ended.set()
        self._one_ended = asyncio.Event()
        self._draining = False
        self._definitions = Definitions(settings, log)
        self._trees = places_of(settings)
        self.locks = TreeLocks(self.works_in)

    def __len__(self) -> int:
        """Return how many processes run."""
        return len(self._running)

    def running(self, session_id: str) -> bool:
        """Return whether a CLI process of that session runs now, or is about to."""
        sessions = {item.session_id for item in self._running.values()}
        return session_id in sessions or session_id in self._starting

    def works_in(self, directory: Path) -> bool:
        """Return whether a CLI process runs in that directory."""
        # A copy: a start that is prepared asks from its thread.
        running = list(self._running.values())
        return any(is_within(item.directory, directory) for item in running)

    def given(self) -> list[Given]:
        """Return what each process read at its start."""
        return [item.given for item in self._running.values()]

    def refuse_more(self, stream: str) -> None:
        """Raise CallFailed if no process may be started over that stream."""
        if self._draining:
            raise CallFailed("the agent is stopping. Send it again when it is back.")
        if stream in self._running:
            raise CallFailed("this stream is taken.")
        if len(self._running) >= self._settings.max_processes:
            raise CallFailed(
                f"{self._settings.max_processes} processes run already. "
                "Wait for one to end, or raise max_processes."
            )

    async def start(self, stream: str, start: CliStart) -> None:
        """Start the process; raise CallFailed or OSError if it cannot be."""
        if start.session_id in self._starting:
            raise CallFailed("a process of this session starts already.")
        self._starting.append(start.session_id)
        try:
            await self._end_others(start.session_id)
            await self._start(stream, start)
        finally:
            self._starting.remove(start.session_id)
        self._log.event("info", "cli_started", session_id=start.session_id)

    async def _end_others(self, session_id: str) -> None:
        """End what still runs of a session: two writers would fork its history.

        Control asks for one process of a session. Another is one that it lost.
        """
        for end in (StreamedProcess.end_input, StreamedProcess.kill):
            for item in self._of(session_id):
                end(item.process)
            with suppress(TimeoutError):
                async with asyncio.timeout(OTHER_ENDS_SECONDS):
                    while self._of(session_id):
                        self._one_ended.clear()
                        await self._one_ended.wait()
        if self._of(session_id):
            raise CallFailed("another process of this session does not end.")

    def _of(self, session_id: str) -> list[Running]:
        running = self._running.values()
        return [item for item in running if item.session_id == session_id]

    async def _start(self, stream: str, start: CliStart) -> None:
        launch, given = await asyncio.to_thread(self._prepare, stream, start)
        self.refuse_more(stream)
        process = StreamedProcess(
            launch, self._settings.drain_seconds, lambda: self._forget(stream)
        )
        self._running[stream] = Running(
            start.session_id, given, launch.directory, process
        )
        self._all_ended.clear()
        try:
            greeting = encode_json(FrameKind.HELLO, {"stream": stream})
            await process.start(self._settings.control_socket, greeting)
        except BaseException:
            self._forget(stream)
            raise

    def _prepare(self, stream: str, start: CliStart) -> tuple[Launch, Given]:
        for warning in settle_state_file(Path(self._settings.config_directory)):
            self._log.event("warning", "state_file_damaged", warning=warning)
        given = given_now(self._settings)
        directory = self._directory_of(start)
        return self._launch(stream, self._known(start, directory), directory), given

    def _directory_of(self, start: CliStart) -> Path:
        if start.repository is None or start.branch is None:
            return self._definitions.directory_of(start)
        repository = parse_repository(start.repository)
        tree = self._trees.tree(repository, start.branch)
        # One that nobody holds may be removed at any moment; and while control was
        # away, another turn may have come to hold it.
        is_held = self.locks.is_held_by(tree, start.holder or "")
        if not is_directory(tree) or not is_held:
            raise CallFailed(
                f"The work directory of {start.branch} in {repository} is not held "
                f"for this turn: {tree}. Send it again."
            )
        return tree

    def _known(self, start: CliStart, directory: Path) -> CliStart:
        """Return the start without what the CLI would refuse as a whole."""
        start = replace(start, resume_at=self._resume_at(start, directory))
        if not managed_present(self._settings):
            return start
        if start.mcp_servers:
            raise CallFailed(EXCLUSIVE)
        # Control offers its own tools once more, when it greets the CLI.
        return replace(start, tools=False)

    def _launch(self, stream: str, start: CliStart, directory: Path) -> Launch:
        settings = self._settings
        try:
            persona = None if start.system_prompt else org_persona(settings)
        except PersonaUnusable as error:
            raise CallFailed(str(error)) from error
        mark = {command.MARKER: command.marker(settings), STREAM_MARK: stream}
        return Launch(
            arguments=command.arguments(
                self._cli, start, settings.cleanup_period_days, persona
            ),
            environment={**command.environment(settings), **mark},
            directory=str(directory),
            mark=mark,
        )

    def _resume_at(self, start: CliStart, directory: Path) -> str | None:
        """Return the message to resume at, if the transcript has it (G17)."""
        if not start.resume or start.resume_at is None:
            return None
        state = transcript_state(
            Path(self._settings.config_directory),
            directory,
            start.session_id,
            start.resume_at,
        )
        return start.resume_at if state.holds else None

    def signal(self, stream: str, name: str) -> bool:
        """Signal the process's group; return whether there is such a process."""
        number = SIGNALS.get(name)
        if number is None:
            raise CallFailed("the signal is none of INT, TERM and KILL.")
        found = self._running.get(stream)
        if found is not None:
            found.process.signal(number)
        return found is not None

    def lose(self) -> None:
        """Let every process finish its turn: control is not there."""
        for item in list(self._running.values()):
            item.process.lose()

    async def drain(self) -> None:
        """Let each process finish its turn, up to the drain time; then kill them."""
        self._draining = True
        self._log.event("info", "draining", processes=len(self))
        for item in list(self._running.values()):
            item.process.end_input()
        try:
            async with asyncio.timeout(self._settings.drain_seconds):
                await self._all_ended.wait()
        except TimeoutError:
            self._log.event("warning", "drain_timed_out")
        for item in list(self._running.values()):
            item.process.kill()

    def _forget(self, stream: str) -> None:
        self._running.pop(stream, None)
        self._one_ended.set()
        if not self._running:
            self._all_ended.set()
