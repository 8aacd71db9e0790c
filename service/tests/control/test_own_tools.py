# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""The tools that control offers: a written list, with limits, and nothing else."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from agentd.engine import outbox as limits
from agentd.engine.outbox import Outbox
from agentd.engine.protocol import Outbound
from agentd.engine.tools import TOOLS, ToolServer
from agentd.engine.transport import CliTransport, offering
from agentd.spawner.protocol import CliStart

from .fakes import wish
from .running_engine import Hand
from .test_claude import UUID, Process, Starts

DOCS = Path(__file__).parents[3] / "docs" / "live-clients.md"


class Said:
    """Takes messages, or refuses them."""

    def __init__(self, refusal: str | None = None) -> None:
        self.texts: list[str] = []
        self.refusal = refusal

    def __call__(self, text: str) -> str | None:
        self.texts.append(text)
        return self.refusal


def call(server: ToolServer, arguments: object, name: object = "send_message") -> Any:
    message = {
        "jsonrpc": "2.0",
        "id": 7,
        "method": "tools/call",
        "params": {"name": name, "arguments": arguments},
    }
    return server.answer(message)


def test_a_message_is_sent_and_confirmed() -> None:
    said = Said()

    answer = call(ToolServer(["send_message"], said), {"text": "It takes an hour."})

    assert said.texts == ["It takes an hour."]
    assert answer["id"] == 7
    assert answer["result"]["isError"] is False


def test_only_the_tools_of_the_agent_are_listed() -> None:
    listing = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}

    some: Any = ToolServer(["send_message", "unknown"], Said()).answer(listing)
    none: Any = ToolServer([], Said()).answer(listing)

    assert [tool["name"] for tool in some["result"]["tools"]] == ["send_message"]
    assert none["result"]["tools"] == []


def test_a_tool_that_is_not_offered_to_the_agent_is_refused() -> None:
    said = Said()

    answer = call(ToolServer([], said), {"text": "hello"})

    assert answer["error"]["message"] == "There is no such tool."
    assert said.texts == []


@pytest.mark.parametrize(
    "arguments",
    [
        None,
        [],
        "text",
        {},
        {"text": 7},
        {"text": " \n"},
        {"text": "x" * (limits.MAX_CHARACTERS + 1)},
        {"text": "x", "conversation_id": "of somebody else"},
        {"text": "x", "agent": "other"},
    ],
)
def test_a_message_that_is_none_is_refused(arguments: object) -> None:
    said = Said()

    answer = call(ToolServer(["send_message"], said), arguments)

    assert answer.get("error") or answer["result"]["isError"]
    assert said.texts == []


@pytest.mark.parametrize(
    "message",
    [
        None,
        [],
        7,
        {},
        {"id": {"a": []}, "method": "tools/call"},
        {"id": 1, "method": ["tools/list"]},
        {"id": 1, "method": "resources/list"},
        {"id": 1, "method": "tools/call", "params": [1]},
        {"id": 1, "method": "tools/call", "params": {"name": {"a": 1}}},
        {"id": True, "method": "sampling/createMessage", "params": {}},
    ],
)
def test_anything_else_is_refused_in_the_words_of_the_protocol(message: object) -> None:
    answer = ToolServer(["send_message"], Said()).answer(message)

    assert "error" in answer
    assert json.dumps(answer)


def test_half_a_character_in_a_message_is_replaced() -> None:
    said = Said()

    call(ToolServer(["send_message"], said), {"text": "hi \ud83d"})

    assert said.texts == ["hi ?"]


def test_a_turn_sends_so_many_messages_and_the_next_one_again() -> None:
    said = Said()
    server = ToolServer(["send_message"], said)

    answers = [call(server, {"text": "x"}) for _n in range(limits.MAX_PER_TURN + 3)]
    server.begin_turn()
    again = call(server, {"text": "y"})

    refused = [answer["result"]["isError"] for answer in answers]
    assert refused == [False] * limits.MAX_PER_TURN + [True] * 3
    assert again["result"]["isError"] is False
    assert len(said.texts) == limits.MAX_PER_TURN + 1


def test_a_conversation_sends_so_many_messages_an_hour_and_others_go_on() -> None:
    clock = Hand()
    told: list[Outbound] = []
    outbox = Outbox(clock)
    outbox.listen(told.append)
    most = limits.MAX_PER_CONVERSATION_HOUR

    first = [outbox.offer(outbound("a")) for _number in range(most + 5)]
    other = outbox.offer(outbound("b"))
    clock.now = 60.0 * 60 / most
    later = outbox.offer(outbound("a")), outbox.offer(outbound("a"))

    assert first.count(None) == most
    assert other is None
    assert (later[0], later[1] is None) == (None, False)
    assert len(told) == most + 2


def test_an_agent_sends_so_many_messages_an_hour_in_all_its_conversations() -> None:
    outbox = Outbox(Hand())
    outbox.listen(lambda _outbound: None)
    most = limits.MAX_PER_AGENT_HOUR

    own = [outbox.offer(outbound(f"c{number}")) for number in range(most + 5)]
    other = outbox.offer(outbound("c0", agent="modest"))

    assert own.count(None) == most
    assert other is None


def outbound(conversation_id: str, agent: str = "main") -> Outbound:
    return Outbound(agent, conversation_id, "x", "tool")


async def test_the_cli_is_answered_by_the_own_server_and_no_other() -> None:
    said = Said()
    process = Process(
        [
            request("r1", {"subtype": "mcp_message", **own_call("hello")}),
            request("r2", {"subtype": "mcp_message", **own_call("no", "other")}),
            request("r3", {"subtype": "can_use_tool", "tool_name": "Bash"}),
            request("r4", ["mcp_message"]),
        ]
    )
    transport = CliTransport(Starts(process), "main", CliStart(UUID, resume=False))
    transport.serve(ToolServer(["send_message"], said))
    await transport.connect()

    told = [message async for message in transport.read_messages()]

    answers = [json.loads(line)["response"] for line in process.written.splitlines()]
    assert told == []
    assert said.texts == ["hello"]
    assert [one["subtype"] for one in answers] == ["success"] + ["error"] * 3
    assert [one["request_id"] for one in answers] == ["r1", "r2", "r3", "r4"]


def own_call(text: str, server: str = "agentkeep") -> dict[str, object]:
    parameters = {"name": "send_message", "arguments": {"text": text}}
    message = {"method": "tools/call", "id": 1, "params": parameters}
    return {"server_name": server, "message": message}


def request(number: str, wanted: object) -> bytes:
    line = {"type": "control_request", "request_id": number, "request": wanted}
    return json.dumps(line).encode() + b"\n"


def test_servers_and_tools_of_the_same_wish_are_the_same_client() -> None:
    one = wish("c", session_id=UUID, tools=("send_message",), mcp_servers_json="{}")

    changes: list[dict[str, Any]] = [
        {"tools": ()},
        {"mcp_servers_json": '{"a":{}}'},
        {"system_prompt": "x"},
    ]

    assert one.same_client(replace(one, resume=True, resume_at=UUID))
    assert not any(one.same_client(replace(one, **change)) for change in changes)


def test_the_page_lists_every_tool_and_every_limit() -> None:
    page = DOCS.read_text(encoding="utf-8")

    for name in TOOLS:
        assert f"`{name}`" in page
    for limit in (
        limits.MAX_CHARACTERS,
        limits.MAX_PER_TURN,
        limits.MAX_PER_CONVERSATION_HOUR,
        limits.MAX_PER_AGENT_HOUR,
    ):
        assert f"{limit:,}" in page


@pytest.mark.parametrize(
    "line", ["no json", "[]", '{"type": "user"}', '{"request": 1}']
)
def test_only_the_greeting_names_the_own_tools(line: str) -> None:
    greeting = {"type": "control_request", "request": {"subtype": "initialize"}}

    named = json.loads(offering(json.dumps(greeting)))

    assert named["request"]["sdkMcpServers"] == ["agentkeep"]
    assert offering(line) == line
