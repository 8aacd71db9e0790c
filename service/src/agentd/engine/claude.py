# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""The Claude CLI by the agent SDK: the only file that imports it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import claude_agent_sdk as sdk

from agentd.engine.bounds import AgentBounds
from agentd.engine.client import (
    Background,
    Began,
    ClientMessage,
    Ended,
    Said,
    Send,
    Taken,
    WritesLost,
)
from agentd.engine.lines import STARTED
from agentd.engine.mirror import Mirror, Store
from agentd.engine.protocol import Chunk, ClientWish, Thinking, ToolUse
from agentd.engine.tools import ToolServer
from agentd.engine.transport import CliTransport
from agentd.engine.words import whole
from agentd.errors import AgentdError, AgentUnavailable
from agentd.sessions.failures import cli_failure
from agentd.sessions.identity import canonical_uuid
from agentd.spawner.protocol import CliStart, Spawner

MAX_ERROR_CHARACTERS = 2_000
MAX_NAME_CHARACTERS = 200
MAX_INPUT_CHARACTERS = 200_000
MAX_SKILLS = 1_000
MAX_COST_USD = 1_000_000.0


def nowhere(_text: str) -> str | None:
    """Take no message."""
    return "Nobody takes messages here."


class ClaudeClients:
    """Makes clients; those of one agent have its bounds in common."""

    def __init__(self, spawner: Spawner) -> None:
        self._spawner = spawner
        self._bounds: dict[str, AgentBounds] = {}
        self._stores: Callable[[ClientWish], Store] | None = None

    def keep(self, stores: Callable[[ClientWish], Store]) -> None:
        """Keep the transcripts of clients in these stores from now on."""
        self._stores = stores

    def __call__(self, wish: ClientWish, send: Send) -> ClaudeClient:
        """Return a client for a wish; ``send`` takes the messages of its tools."""
        bounds = self._bounds.setdefault(wish.agent, AgentBounds(wish.agent))
        store = None if self._stores is None else self._stores(wish)
        return ClaudeClient(self._spawner, wish, send, bounds, store)


class SdkTransport(CliTransport, sdk.Transport):
    """Our transport, as a type that the SDK knows."""


class ClaudeClient:
    """One CLI process in an agent's container, spoken to by the SDK."""

    def __init__(
        self,
        spawner: Spawner,
        wish: ClientWish,
        send: Send = nowhere,
        bounds: AgentBounds | None = None,
        store: Store | None = None,
    ) -> None:
        start = CliStart(
            session_id=wish.session_id,
            resume=wish.resume,
            model=wish.model,
            fallback_model=wish.fallback_model,
            permission_mode=wish.permission_mode,
            thinking_tokens=wish.thinking_tokens,
            system_prompt=wish.system_prompt,
            mcp_servers=mcp_servers(wish.mcp_servers_json),
            tools=bool(wish.tools),
            resume_at=wish.resume_at if wish.resume else None,
            definition=wish.definition,
            definition_found=wish.definition_found,
            repository=wish.repository,
            branch=wish.branch,
            holder=None if wish.branch is None else wish.conversation_id,
            mirror=store is not None,
        )
        self._mirror = None if store is None else Mirror(store)
        self._last_uuid: str | None = None
        self._tools = ToolServer(wish.tools, send) if wish.tools else None
        self._transport = SdkTransport(spawner, wish.agent, start)
        self._transport.serve(self._tools, bounds or AgentBounds(wish.agent))
        if self._mirror is not None:
            self._transport.keep(self._mirror)
        self._client = sdk.ClaudeSDKClient(
            sdk.ClaudeAgentOptions(include_partial_messages=True),
            transport=self._transport,
        )

    async def connect(self) -> None:
        """Start the CLI and the control protocol."""
        with self._our_errors():
            await self._client.connect()

    async def say(self, message: str, message_id: str) -> None:
        """Send a user message that carries the id."""
        if self._tools is not None:
            self._tools.begin_turn()
        with self._our_errors():
            await self._client.query(_one(message, message_id))

    async def set_model(self, model: str | None) -> None:
        """Use another model from the next message on."""
        with self._our_errors():
            await self._client.set_model(model)

    async def interrupt(self) -> None:
        """Ask the CLI to end the running turn."""
        with self._our_errors():
            await self._client.interrupt()

    async def messages(self) -> AsyncIterator[ClientMessage]:
        """Return what the CLI tells, in our words."""
        with self._our_errors():
            async for message in self._client.receive_messages():
                for translated in translate(message):
                    yield self._judged(translated)

    def _judged(self, message: ClientMessage) -> ClientMessage:
        """Return the message, and with an end whether its last line is stored."""
        if isinstance(message, Said):
            self._last_uuid = message.uuid or self._last_uuid
        elif isinstance(message, Ended) and self._mirror is not None:
            last, self._last_uuid = self._last_uuid, None
            stored = last is not None and self._mirror.holds(last)
            return replace(message, stored=stored)
        return message

    async def disconnect(self) -> None:
        """Close the CLI."""
        with self._our_errors():
            await self._client.disconnect()

    def abandon(self) -> None:
        """Drop the connection at once: the agent's side ends the CLI's turn alone."""
        self._transport.abandon()

    @contextmanager
    def _our_errors(self) -> Iterator[None]:
        try:
            yield
        except AgentdError:
            raise
        except Exception as error:
            raise map_error(error, self._transport.stderr_tail()) from error


def mcp_servers(text: str | None) -> dict[str, object] | None:
    """Return the MCP servers of a wish by name, None if it has none."""
    servers = json.loads(text) if text else None
    return servers if isinstance(servers, dict) and servers else None


def translate(message: sdk.Message) -> Iterator[ClientMessage]:
    """Return what one message of the SDK means to us; most mean nothing."""
    if isinstance(message, sdk.StreamEvent):
        if message.parent_tool_use_id is None:
            yield from _translate_delta(message.event)
    elif isinstance(message, sdk.AssistantMessage):
        if message.parent_tool_use_id is None:
            yield from _translate_answer(message)
    elif isinstance(message, sdk.ResultMessage):
        yield _translate_result(message)
    elif isinstance(message, sdk.SystemMessage):
        if message.subtype == "init":
            model = message.data.get("model")
            yield Began(
                session_id=canonical_uuid(message.data.get("session_id")),
                model=whole(model, MAX_NAME_CHARACTERS),
                skills=_skills(message.data.get("skills")),
            )
        elif message.subtype == STARTED:
            yield Taken(canonical_uuid(message.data.get("command_uuid")))
        elif message.subtype == "session_writes_lost":
            reason = whole(message.data.get("error_code"), MAX_NAME_CHARACTERS)
            yield WritesLost(reason or "unknown")
        elif message.subtype == "background_tasks_changed":
            tasks = message.data.get("tasks")
            yield Background(len(tasks) if isinstance(tasks, list) else 0)


def map_error(error: Exception, stderr_tail: str) -> AgentdError:
    """Return our error for one of the SDK's, of the kind its words show."""
    reason = whole(str(error), MAX_ERROR_CHARACTERS)
    if isinstance(error, sdk.CLINotFoundError):
        return AgentUnavailable(
            f"The Claude CLI is not there: {reason}. Use an image that holds it."
        )
    # The SDK raises a bare Exception when a control request fails or times out.
    ours = isinstance(error, sdk.ClaudeSDKError)
    deed = "broke off" if ours else "did not do as asked"
    return cli_failure(f"The Claude CLI {deed}: {reason}", f"{reason}\n{stderr_tail}")


def _skills(names: object) -> tuple[str, ...] | None:
    if not isinstance(names, list):
        return None
    found = (whole(name, MAX_NAME_CHARACTERS) for name in names[:MAX_SKILLS])
    return tuple(name for name in found if name)


def _cost(value: object) -> float | None:
    if not isinstance(value, int | float) or isinstance(value, bool):
        return None
    return float(value) if 0 <= value <= MAX_COST_USD else None


async def _one(message: str, message_id: str) -> AsyncIterator[dict[str, Any]]:
    yield {
        "type": "user",
        "message": {"role": "user", "content": message},
        "parent_tool_use_id": None,
        "uuid": message_id,
    }


def _translate_delta(event: dict[str, Any]) -> Iterator[ClientMessage]:
    delta = event.get("delta")
    if event.get("type") != "content_block_delta" or not isinstance(delta, dict):
        return
    text, thinking = whole(delta.get("text")), whole(delta.get("thinking"))
    if delta.get("type") == "text_delta" and text is not None:
        yield Chunk(text)
    elif delta.get("type") == "thinking_delta" and thinking is not None:
        yield Thinking(thinking)


def _translate_answer(message: sdk.AssistantMessage) -> Iterator[ClientMessage]:
    texts = [b.text for b in message.content if isinstance(b, sdk.TextBlock)]
    for block in message.content:
        if isinstance(block, sdk.ToolUseBlock):
            name = whole(block.name, MAX_NAME_CHARACTERS)
            yield ToolUse(name or "unknown", _shown(block.input))
    model = whole(message.model, MAX_NAME_CHARACTERS) if message.error is None else None
    text = whole("".join(texts)) or ""
    yield Said(uuid=canonical_uuid(message.uuid), model=model, text=text)


def _shown(given: dict[str, Any]) -> dict[str, Any]:
    """Return what a tool was given, or what is said in its place if it is large."""
    try:
        size = len(json.dumps(given))
    except (ValueError, RecursionError):
        return {"omitted": "it is nested too deeply"}
    if size > MAX_INPUT_CHARACTERS:
        return {"omitted": f"it has {size} characters"}
    return given


def _translate_result(message: sdk.ResultMessage) -> Ended:
    answered = message.user_message_uuids
    if answered is None and message.user_message_uuid is not None:
        answered = [message.user_message_uuid]
    return Ended(
        is_error=bool(message.is_error),
        result=whole(message.result),
        error=_error_text(message) if message.is_error else None,
        session_id=message.session_id,
        answered=None if answered is None else tuple(answered),
        injected=message.origin is not None and message.origin.get("kind") != "human",
        cost_usd=_cost(message.total_cost_usd),
    )


def _error_text(message: sdk.ResultMessage) -> str:
    errors = [text for text in message.errors or [] if isinstance(text, str)]
    text = "; ".join(errors) or message.result or message.subtype
    return whole(text, MAX_ERROR_CHARACTERS) or "the CLI gave no reason"
