# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""The tools that control itself offers to an agent: a written list, with limits.

What calls them is a CLI in an agent's container, or whatever runs there in its place.
A tool acts for the conversation of its client and takes no name of another.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from agentd.engine.client import Send
from agentd.engine.outbox import MAX_CHARACTERS, MAX_PER_TURN
from agentd.engine.words import whole
from agentd.spawner.mcp_servers import OWN_SERVER

__all__ = ["OWN_SERVER", "TOOLS", "Tool", "ToolServer"]

VERSIONS = ("2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05")
NO_METHOD, BAD_PARAMETERS = -32601, -32602
MAX_ID_CHARACTERS = 200

Json = dict[str, object]


@dataclass(frozen=True)
class Tool:
    """One tool as the model sees it."""

    name: str
    description: str
    schema: Mapping[str, object]


TOOLS: Mapping[str, Tool] = {
    "send_message": Tool(
        name="send_message",
        description=(
            "Send a message to the people of this conversation now, before your "
            "answer. Use it for news of long work. It is kept and delivered with "
            f"the next answer. At most {MAX_CHARACTERS} characters and "
            f"{MAX_PER_TURN} messages a turn."
        ),
        schema={
            "type": "object",
            "properties": {"text": {"type": "string", "maxLength": MAX_CHARACTERS}},
            "required": ["text"],
            "additionalProperties": False,
        },
    ),
}


class ToolServer:
    """Answers the MCP messages of one client; ``send`` returns why it did not."""

    def __init__(self, offered: Iterable[str], send: Send) -> None:
        self._tools = {name: TOOLS[name] for name in offered if name in TOOLS}
        self._send = send
        self._sent = 0

    def begin_turn(self) -> None:
        """Note that somebody said something: the limits of a turn begin anew."""
        self._sent = 0

    def answer(self, message: object) -> Json:
        """Return the answer to one message of the protocol, whatever it is."""
        if not isinstance(message, dict):
            return _failed(None, BAD_PARAMETERS, "The message is not an object.")
        number, method = _id(message.get("id")), message.get("method")
        given = message.get("params")
        parameters = given if isinstance(given, dict) else {}
        if isinstance(method, str) and method.startswith("notifications/"):
            return {"jsonrpc": "2.0", "result": {}}
        if method == "tools/call":
            return self._call(number, parameters)
        plain: dict[object, Json] = {
            "initialize": _introduction(parameters),
            "tools/list": {"tools": [_listed(tool) for tool in self._tools.values()]},
            "ping": {},
        }
        if not isinstance(method, str) or method not in plain:
            return _failed(number, NO_METHOD, "Nothing of this kind is offered here.")
        return _result(number, plain[method])

    def _call(self, number: int | str | None, parameters: Json) -> Json:
        name, given = parameters.get("name"), parameters.get("arguments")
        if not isinstance(name, str) or name not in self._tools:
            return _failed(number, BAD_PARAMETERS, "There is no such tool.")
        if not isinstance(given, dict) or set(given) != {"text"}:
            return _failed(number, BAD_PARAMETERS, 'The tool takes "text", only.')
        refused = self._send_message(given["text"])
        content = [{"type": "text", "text": refused or "The message was sent."}]
        return _result(number, {"content": content, "isError": refused is not None})

    def _send_message(self, given: object) -> str | None:
        if not isinstance(given, str) or len(given) > MAX_CHARACTERS:
            return (
                f"Cannot send this: a message is a text of {MAX_CHARACTERS} "
                "characters at most."
            )
        text = whole(given)
        if text is None or not text.strip():
            return "Cannot send an empty message."
        if self._sent >= MAX_PER_TURN:
            return f"Cannot send more than {MAX_PER_TURN} messages in one turn."
        self._sent += 1
        return self._send(text)


def _introduction(parameters: Json) -> Json:
    wanted = parameters.get("protocolVersion")
    version = wanted if wanted in VERSIONS else VERSIONS[0]
    return {
        "protocolVersion": version,
        "capabilities": {"tools": {}},
        "serverInfo": {"name": OWN_SERVER, "version": "1"},
    }


def _listed(tool: Tool) -> Json:
    return {
        "name": tool.name,
        "description": tool.description,
        "inputSchema": tool.schema,
    }


def _id(value: object) -> int | str | None:
    if isinstance(value, str):
        return value[:MAX_ID_CHARACTERS]
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _result(number: int | str | None, result: Json) -> Json:
    return {"jsonrpc": "2.0", "id": number, "result": result}


def _failed(number: int | str | None, code: int, message: str) -> Json:
    error = {"code": code, "message": message}
    return {"jsonrpc": "2.0", "id": number, "error": error}
