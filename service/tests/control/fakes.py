# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Small fakes of what control meets: clients, an engine and a spawner."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field

from agentd.engine.client import Began, ClientMessage, Ended, Said, Send
from agentd.engine.protocol import (
    Chunk,
    ClientWish,
    EngineWatch,
    Listener,
    OutboundListener,
    TurnOutcome,
)
from agentd.errors import (
    AgentdError,
    AgentUnavailable,
    CallTimedOut,
    TurnHandedOver,
)
from agentd.sessions.identity import new_session_id
from agentd.spawner.protocol import AgentState, CliProcess, CliStart

LAST_UUID = "22222222-2222-4222-8222-222222222222"


class FakeClient:
    """A client that echoes; every call stands in ``calls`` with its task."""

    def __init__(self, wish: ClientWish, send: Send | None = None) -> None:
        self.wish = wish
        self.send = send
        self.calls: list[tuple[str, asyncio.Task[object] | None]] = []
        self.inbox: asyncio.Queue[ClientMessage | Exception | None] = asyncio.Queue()
        self.connect_error: Exception | None = None
        self.answers = True
        self.models: list[str | None] = []
        self.said: list[str] = []
        self.connecting = asyncio.Event()
        self.connecting.set()

    def _note(self, name: str) -> None:
        self.calls.append((name, asyncio.current_task()))

    def names(self) -> list[str]:
        return [name for name, _unused in self.calls]

    async def connect(self) -> None:
        self._note("connect")
        await self.connecting.wait()
        if self.connect_error is not None:
            raise self.connect_error

    async def say(self, message: str, message_id: str) -> None:
        self._note("say")
        self.said.append(message_id)
        if self.answers:
            self.answer(message, message_id)

    def answer(self, message: str, message_id: str) -> None:
        self.inbox.put_nowait(Began(session_id=self.wish.session_id, model="fake"))
        self.inbox.put_nowait(Chunk(f"echo {message}"))
        self.inbox.put_nowait(Said(uuid=LAST_UUID, model="fake", text=message))
        self.inbox.put_nowait(
            Ended(
                is_error=False,
                result=f"echo {message}",
                error=None,
                session_id=self.wish.session_id,
                answered=(message_id,),
            )
        )

    async def set_model(self, model: str | None) -> None:
        self._note("set_model")
        self.models.append(model)

    async def interrupt(self) -> None:
        self._note("interrupt")

    async def messages(self) -> AsyncIterator[ClientMessage]:
        while (message := await self.inbox.get()) is not None:
            if isinstance(message, Exception):
                raise message
            yield message

    async def disconnect(self) -> None:
        self._note("disconnect")

    def abandon(self) -> None:
        self._note("abandon")


class FakeClients:
    """A factory that remembers the clients it made."""

    def __init__(self, prepare: Callable[[FakeClient], None] | None = None) -> None:
        self.made: list[FakeClient] = []
        self.prepare = prepare

    def __call__(self, wish: ClientWish, send: Send) -> FakeClient:
        client = FakeClient(wish, send)
        if self.prepare is not None:
            self.prepare(client)
        self.made.append(client)
        return client


@dataclass
class FakeEngine:
    """An engine whose turns are scripted: an outcome, or an error, for each."""

    script: list[TurnOutcome | Exception] = field(default_factory=list)
    wishes: list[ClientWish] = field(default_factory=list)
    closed: list[str] = field(default_factory=list)
    alive: dict[str, str] = field(default_factory=dict)
    room: bool = True
    gate: asyncio.Event | None = None
    timeouts: list[float] = field(default_factory=list)
    uuids: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    handed_over: bool = False
    outbound: OutboundListener | None = None
    watched: EngineWatch | None = None

    async def __aenter__(self) -> FakeEngine:
        return self

    async def __aexit__(self, *details: object) -> None:
        self.alive.clear()

    def live(self, conversation_id: str) -> str | None:
        return self.alive.get(conversation_id)

    def live_counts(self) -> Mapping[str, int]:
        return {"main": len(self.alive)}

    def has_room(self, agent: str, conversation_id: str) -> bool:
        return self.room

    def listen(self, listener: OutboundListener) -> None:
        self.outbound = listener

    def watch(self, watch: EngineWatch) -> None:
        self.watched = watch

    async def turn(
        self,
        wish: ClientWish,
        message: str,
        listener: Listener,
        *,
        timeout_seconds: float,
        message_uuid: str,
    ) -> TurnOutcome:
        self.wishes.append(wish)
        self.uuids.append(message_uuid)
        self.said.append(message)
        self.timeouts.append(timeout_seconds)
        listener(Chunk("piece"))
        if self.gate is not None:
            await self.gate.wait()
        if self.handed_over:
            raise TurnHandedOver("Control stops.")
        if not self.script:
            self.script.append(success(wish, message))
        step = self.script.pop(0)
        if isinstance(step, Exception):
            raise step
        self.alive[wish.conversation_id] = wish.session_id
        return step

    async def close(self, conversation_id: str) -> None:
        self.closed.append(conversation_id)
        self.alive.pop(conversation_id, None)

    async def hand_over(self) -> int:
        self.handed_over = True
        if self.gate is not None:
            self.gate.set()
        return len(self.alive)


def success(wish: ClientWish, message: str) -> TurnOutcome:
    """Return the outcome of a turn that went well."""
    return TurnOutcome(
        status="success",
        result=f"echo {message}",
        error=None,
        model="fake",
        session_id=wish.session_id,
        last_message_uuid=LAST_UUID,
    )


@dataclass
class FakeSpawner:
    """Agents that are connected or not, with transcripts that are there or not."""

    connected: dict[str, bool] = field(default_factory=lambda: {"main": True})
    exists: bool = True
    holds: bool = True
    error: AgentdError | None = None
    volumes: dict[str, object] = field(
        default_factory=lambda: {"memory": True, "sessions": True, "skill_data": True}
    )
    calls: list[tuple[str, str, Mapping[str, object]]] = field(default_factory=list)
    size: int = 1
    report: dict[str, object] = field(default_factory=dict)
    turn_states: list[dict[str, object] | AgentdError] = field(default_factory=list)

    def states(self) -> Mapping[str, AgentState]:
        return {
            name: AgentState(name=name, connected=there, since=None, report=self.report)
            for name, there in self.connected.items()
        }

    async def call(
        self,
        agent: str,
        name: str,
        parameters: Mapping[str, object],
        *,
        timeout_seconds: float,
    ) -> dict[str, object]:
        self.calls.append((agent, name, parameters))
        if not self.connected[agent]:
            raise AgentUnavailable(f'Agent "{agent}" is not connected.')
        if self.error is not None:
            raise self.error
        if name == "probe":
            ok = all(self.volumes.values())
            return {"ok": ok, "volumes": self.volumes, "errors": []}
        if name == "turn_state":
            return self._turn_state()
        return {
            "exists": self.exists,
            "holds": self.holds,
            "size": self.size,
            "path": "x",
        }

    def _turn_state(self) -> dict[str, object]:
        """Return what is scripted, the last of it again and again."""
        first = next(iter(self.turn_states), {})
        self.turn_states = self.turn_states[1:] or [first]
        if isinstance(first, AgentdError):
            raise first
        return first

    async def start_cli(self, agent: str, start: CliStart) -> CliProcess:
        raise CallTimedOut("No CLI is started in this test.")


def wish(conversation_id: str = "conv-1", **changes: object) -> ClientWish:
    """Return a wish for a client, changed as told."""
    values: dict[str, object] = {
        "agent": "main",
        "conversation_id": conversation_id,
        "session_id": new_session_id(),
        "resume": False,
        **changes,
    }
    return ClientWish(**values)  # type: ignore[arg-type]
