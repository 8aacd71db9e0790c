# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""What control holds for one agent: its connections, calls and CLI processes."""

from __future__ import annotations

import asyncio
import secrets
import socket
from collections.abc import Callable, Mapping
from dataclasses import asdict

from agentd.errors import AgentLost, AgentUnavailable, CallRefused, CliFailed
from agentd.log import get_log
from agentd.spawner.calls import CallTable
from agentd.spawner.frames import Frame, FrameInvalid, FrameKind, decode_json
from agentd.spawner.link import Link
from agentd.spawner.protocol import AgentState, CliStart, SignalName
from agentd.spawner.remote import RemoteProcess

MAX_CONNECTIONS = 80
HELLO_TIMEOUT_SECONDS = 5.0
HELLO_BYTES = 16 * 1024
SILENCE_SECONDS = 15.0
SILENCES_UNTIL_LOST = 3
UNASKED_PAUSE_SECONDS = 0.01
# A side that is well greets once for each life of control or of its own.
GREETINGS_AT_ONCE = 5
GREETING_SECONDS = 1.0
START_TIMEOUT_SECONDS = 30.0
SIGNAL_TIMEOUT_SECONDS = 5.0

_log = get_log("spawner")


class Peer:
    """One agent as control sees it; nothing here is shared with another agent."""

    def __init__(self, name: str, clock: Callable[[], float]) -> None:
        self.name = name
        self._clock = clock
        self._main: Link | None = None
        self._since: float | None = None
        self._report: Mapping[str, object] = {}
        self._connections: set[socket.socket] = set()
        self._links: set[Link] = set()
        self._calls = CallTable(name)
        self._expected: dict[str, asyncio.Future[RemoteProcess | None]] = {}
        self._refused = 0
        self._greetings = 0.0
        self._greeted_at = 0.0
        self._greeting = asyncio.Lock()

    def state(self) -> AgentState:
        """Return whether the agent is connected, and what it reported."""
        return AgentState(
            name=self.name,
            connected=self._main is not None,
            since=self._since,
            report=self._report,
        )

    def has_room(self) -> bool:
        """Return whether one more connection of this agent may be held."""
        return len(self._connections) < MAX_CONNECTIONS

    def close(self) -> None:
        """Drop every connection of this agent, also those that said nothing yet."""
        self._forget_main()
        for link in self._links:
            link.abort()

    async def serve(self, connection: socket.socket) -> None:
        """Serve one connection until it ends; never raise for what the peer does."""
        self._connections.add(connection)
        try:
            link = await Link.from_socket(connection, HELLO_BYTES)
            self._links.add(link)
            try:
                await self._serve_link(link)
            finally:
                link.abort()
                self._links.discard(link)
        except Exception as error:
            # Whatever an agent sends, it must not end the other agents' service.
            self._note_refused(error)
        finally:
            self._connections.discard(connection)
            connection.close()

    def _note_refused(self, error: Exception) -> None:
        self._refused += 1
        # Only at each doubling: a hostile agent must not fill the log.
        if self._refused.bit_count() == 1:
            _log.warning(
                "agent_connection_dropped",
                agent=self.name,
                reason=str(error) or type(error).__name__,
                count=self._refused,
            )

    async def _serve_link(self, link: Link) -> None:
        async with asyncio.timeout(HELLO_TIMEOUT_SECONDS):
            frame = await link.receive()
        if frame is None:
            return
        if frame.kind is not FrameKind.HELLO:
            raise FrameInvalid("the connection does not begin with a greeting")
        hello = decode_json(frame.payload)
        stream, report = hello.get("stream"), hello.get("report")
        if isinstance(stream, str):
            await self._serve_stream(link, stream)
        elif isinstance(report, dict):
            await self._serve_main(link, report)
        else:
            raise FrameInvalid("the greeting names neither a stream nor a report")

    async def _serve_stream(self, link: Link, stream: str) -> None:
        expected = self._expected.pop(stream, None)
        if expected is None or expected.done():
            raise FrameInvalid("the greeting names a stream that is not awaited")

        async def send_signal(name: SignalName) -> None:
            await self._signal(stream, name)

        process = RemoteProcess(self.name, link, send_signal)
        expected.set_result(process)
        await process.pump()

    async def _calm(self) -> None:
        """Wait if this agent greeted very often of late: each costs work and a log."""
        async with self._greeting:
            now = asyncio.get_running_loop().time()
            past = (now - self._greeted_at) / GREETING_SECONDS
            self._greetings = max(0.0, self._greetings - past) + 1
            self._greeted_at = now
            if self._greetings > GREETINGS_AT_ONCE:
                await asyncio.sleep(GREETING_SECONDS)

    async def _serve_main(self, link: Link, report: Mapping[str, object]) -> None:
        await self._calm()
        self._forget_main()
        for other in self._links - {link}:
            other.abort()
        self._main, self._report, self._since = link, report, self._clock()
        _log.info("agent_connected", agent=self.name)
        try:
            await self._read_main(link)
        finally:
            if self._main is link:
                self._forget_main()
                _log.info("agent_disconnected", agent=self.name)

    def _forget_main(self) -> None:
        if self._main is not None:
            self._main.abort()
        self._main, self._report, self._since = None, {}, self._clock()
        self._calls.lose_all()
        for future in self._expected.values():
            if not future.done():
                future.set_result(None)
        self._expected.clear()

    async def _read_main(self, link: Link) -> None:
        silences = 0
        while True:
            try:
                async with asyncio.timeout(SILENCE_SECONDS):
                    frame = await link.receive()
            except TimeoutError:
                silences += 1
                if silences == SILENCES_UNTIL_LOST:
                    raise
                await link.send(FrameKind.PING)
                continue
            if frame is None:
                return
            silences = 0
            if not self._take(frame):
                # Nobody asked for this: who floods waits here and is not read.
                await asyncio.sleep(UNASKED_PAUSE_SECONDS)

    def _take(self, frame: Frame) -> bool:
        if frame.kind is FrameKind.PONG:
            return False
        if frame.kind is not FrameKind.ANSWER:
            raise FrameInvalid(f"a {frame.kind.name} frame has no place here")
        return self._calls.answer(decode_json(frame.payload))

    async def call(
        self, name: str, parameters: Mapping[str, object], timeout_seconds: float
    ) -> dict[str, object]:
        """Return the agent's answer to one call, with the errors of the protocol."""
        return await self._calls.call(
            self._require_main(), name, parameters, timeout_seconds
        )

    def _require_main(self) -> Link:
        if self._main is None:
            raise AgentUnavailable(
                f'Cannot reach agent "{self.name}": its side is not connected. '
                "Look at the log of its container, and try again when it runs."
            )
        return self._main

    async def _signal(self, stream: str, name: SignalName) -> None:
        parameters = {"stream": stream, "signal": name}
        await self.call("signal_cli", parameters, SIGNAL_TIMEOUT_SECONDS)

    async def start_cli(self, start: CliStart) -> RemoteProcess:
        """Start a CLI process in the agent; raise CliFailed if it refuses."""
        self._require_main()
        stream = secrets.token_hex(16)
        future: asyncio.Future[RemoteProcess | None]
        future = asyncio.get_running_loop().create_future()
        self._expected[stream] = future
        try:
            return await self._await_cli(stream, start, future)
        except BaseException:
            if future.done() and (process := future.result()) is not None:
                process.abandon()
            raise
        finally:
            self._expected.pop(stream, None)

    async def _await_cli(
        self,
        stream: str,
        start: CliStart,
        future: asyncio.Future[RemoteProcess | None],
    ) -> RemoteProcess:
        parameters = {"stream": stream, "start": asdict(start)}
        try:
            await self.call("start_cli", parameters, START_TIMEOUT_SECONDS)
            async with asyncio.timeout(START_TIMEOUT_SECONDS):
                process = await asyncio.shield(future)
        except (CallRefused, TimeoutError) as error:
            raise CliFailed(
                f'Cannot start the CLI in agent "{self.name}": '
                f"{str(error) or 'its streams were not connected in time'}"
            ) from error
        if process is None:
            raise AgentLost(
                f'Cannot start the CLI in agent "{self.name}": the connection to '
                "it went away. Send the message again."
            )
        return process
