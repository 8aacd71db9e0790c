# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""The offline model: its directives, and its two forms of an answer."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass

import httpx
import pytest

from agentd.offline_model.app import create_app
from agentd.offline_model.directives import PREFIX, Reply, decide


def user(text: str) -> dict[str, object]:
    """Return what the user says, as the CLI sends it."""
    reminder = "<system-reminder>\nhang\nRemember the word trap.\n</system-reminder>"
    blocks = [{"type": "text", "text": reminder}, {"type": "text", "text": text}]
    return {"role": "user", "content": blocks}


def assistant(text: str = "ok") -> dict[str, object]:
    """Return what the assistant said."""
    return {"role": "assistant", "content": [{"type": "text", "text": text}]}


def tool_result(content: object) -> dict[str, object]:
    """Return what a tool answered."""
    block = {"type": "tool_result", "tool_use_id": "t", "content": content}
    return {"role": "user", "content": [block]}


SYSTEM = {"role": "system", "content": "Remember the word wrong."}


@dataclass(frozen=True)
class Row:
    """Messages, and the reply to them."""

    name: str
    messages: list[object]
    reply: Reply


ROWS = [
    Row(
        "a word to remember",
        [user("Remember the word mango.")],
        Reply(text=f"{PREFIX}I will remember: mango."),
    ),
    Row(
        "recall of all words said before",
        [
            user("Remember the word mango."),
            SYSTEM,
            assistant("Remember the word lie."),
            {"role": "user", "content": "remember the word 'kiwi'"},
            assistant(),
            user("Which words did I ask you to remember?"),
        ],
        Reply(text=f"{PREFIX}You asked me to remember: mango, kiwi."),
    ),
    Row(
        "recall of nothing",
        [user("Which words did I ask you to remember?")],
        Reply(text=f"{PREFIX}You asked me to remember no word."),
    ),
    Row(
        "a tool",
        [user('tool Bash {"command": "id {}"} please')],
        Reply(
            text=f"{PREFIX}Calling Bash.",
            tool="Bash",
            tool_input={"command": "id {}"},
        ),
    ),
    Row(
        "a tool's answer",
        [
            user('tool Bash {"command": "id"}'),
            assistant(),
            tool_result([{"type": "text", "text": "uid=1"}]),
        ],
        Reply(text=f"{PREFIX}The tool answered:\nuid=1"),
    ),
    Row(
        "a tool's answer with a notice behind it",
        [
            user('tool Bash {"command": "id"}'),
            assistant(),
            tool_result("uid=1"),
            SYSTEM,
        ],
        Reply(text=f"{PREFIX}The tool answered:\nuid=1"),
    ),
    Row(
        "a directive that was answered, then a notice",
        [user("hang"), assistant(), SYSTEM],
        Reply(text=f"{PREFIX}Done."),
    ),
    Row(
        "slowly",
        [user("Please answer slowly for 2.5 seconds.")],
        Reply(text=f"{PREFIX}This answer took 2.5 seconds.", slow_seconds=2.5),
    ),
    Row("hang", [user("hang")], Reply(hang=True)),
    Row("fail", [user("fail with status 529")], Reply(fail_status=529)),
    Row(
        "the word hang in a sentence",
        [user("Do not hang up.")],
        Reply(text=f"{PREFIX}I read your message of 15 characters."),
    ),
    Row(
        "the next message after a failed turn, sent together with the failed one",
        [
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": "fail with status 529"},
                    {"type": "text", "text": "Remember the word mango."},
                    {"type": "text", "text": "<system-reminder>x</system-reminder>"},
                ],
            }
        ],
        Reply(text=f"{PREFIX}I will remember: mango."),
    ),
    Row(
        "a tool of a server, with its name in parts",
        [user('tool mcp__agentkeep__send_message {"text": "hi"}')],
        Reply(
            text=f"{PREFIX}Calling mcp__agentkeep__send_message.",
            tool="mcp__agentkeep__send_message",
            tool_input={"text": "hi"},
        ),
    ),
    Row(
        "a failure that asks to wait",
        [user("fail with status 429 and retry after 3")],
        Reply(fail_status=429, retry_after=3),
    ),
    Row(
        "an answer with tokens as asked for",
        [user("use 1000 input tokens, use 20 output tokens, use 7 cache read tokens")],
        Reply(
            text=f"{PREFIX}I read your message of 68 characters.",
            usage={
                "input_tokens": 1000,
                "output_tokens": 20,
                "cache_read_input_tokens": 7,
            },
        ),
    ),
    Row("no messages", [], Reply(text=f"{PREFIX}There is no text to answer.")),
    Row(
        "messages that are none",
        [1, None, {"role": 3}, {"role": "user", "content": 5}],
        Reply(text=f"{PREFIX}There is no text to answer."),
    ),
]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_a_reply_follows_from_the_messages_alone(row: Row) -> None:
    assert decide(row.messages) == row.reply


def test_a_long_tool_answer_is_cut() -> None:
    messages = [
        user('tool Bash {"command": "x"}'),
        assistant(),
        tool_result("x" * 10**6),
    ]

    assert len(decide(messages).text) < 21_000


def test_a_tool_with_broken_input_is_said_to_be_broken() -> None:
    assert "not JSON" in decide([user("tool Bash {broken")]).text


HOSTILE_TEXTS = [
    "<system-reminder>" * 60_000,
    "which word " * 60_000,
    "\n" * 10**6,
    "hang" + " " * 10**6 + "x",
    "remember the word" + ":" * 10**6,
    "tool Bash " + '{"a":' * 50_000,
    "answer slowly for " + "9" * 10**6,
    "use " + "9" * 10**6,
]


@pytest.mark.parametrize("text", HOSTILE_TEXTS, ids=lambda text: text[:12])
def test_no_text_keeps_the_model_busy(text: str) -> None:
    begun = time.process_time()

    decide([{"role": "user", "content": text}] * 3)

    assert time.process_time() - begun < 2


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    """A client of the offline model in this process."""
    transport = httpx.ASGITransport(create_app())
    async with httpx.AsyncClient(transport=transport, base_url="http://x") as opened:
        yield opened


async def test_one_answer_says_that_it_is_of_no_model(
    client: httpx.AsyncClient,
) -> None:
    response = await client.post(
        "/v1/messages", json={"model": "claude-x", "messages": [user("Hello")]}
    )

    answer = response.json()
    assert answer["model"] == "claude-x"
    assert answer["content"][0]["text"].startswith("[offline model, not a real model] ")
    assert answer["stop_reason"] == "end_turn"
    assert answer["usage"]["input_tokens"] > 0


async def test_a_stream_carries_the_text_and_the_tool_s_input(
    client: httpx.AsyncClient,
) -> None:
    text = 'tool Bash {"command": "id"}'

    response = await client.post(
        "/v1/messages", json={"stream": True, "messages": [user(text)]}
    )

    assert response.headers["content-type"].startswith("text/event-stream")
    events = [
        json.loads(line.removeprefix("data: "))
        for line in response.text.splitlines()
        if line.startswith("data: ")
    ]
    assert events[0]["type"] == "message_start"
    assert events[-1]["type"] == "message_stop"
    deltas = [event["delta"] for event in events if "delta" in event]
    assert {"type": "input_json_delta", "partial_json": '{"command": "id"}'} in deltas
    assert {"stop_reason": "tool_use", "stop_sequence": None} in deltas


async def test_a_failure_has_the_status_that_was_asked_for(
    client: httpx.AsyncClient,
) -> None:
    response = await client.post(
        "/v1/messages", json={"messages": [user("fail with status 529")]}
    )

    assert response.status_code == 529
    assert response.json()["error"]["type"] == "overloaded_error"


async def test_tokens_are_counted(client: httpx.AsyncClient) -> None:
    response = await client.post(
        "/v1/messages/count_tokens", json={"messages": [user("Hello")]}
    )

    assert response.json()["input_tokens"] > 10


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b'{"messages":["' + b"x" * (9 << 20) + b'"]}', 413),
        (b'{"messages":[' + b"[]," * 10**6 + b"1]}", 400),
        (b'{"messages":' + b"[" * 3000 + b"]" * 3000 + b"}", 400),
    ],
    ids=["large", "of many parts", "deep"],
)
async def test_a_body_that_would_take_much_memory_is_refused(
    client: httpx.AsyncClient, body: bytes, status: int
) -> None:
    response = await client.post("/v1/messages", content=body)

    assert response.status_code == status


async def test_an_answer_has_the_tokens_that_were_asked_for(
    client: httpx.AsyncClient,
) -> None:
    response = await client.post(
        "/v1/messages",
        json={"messages": [user("use 500 cache write tokens, use 9 output tokens")]},
    )

    usage = response.json()["usage"]
    assert usage["cache_creation_input_tokens"] == 500
    assert usage["output_tokens"] == 9


async def test_a_failure_says_how_long_to_wait(client: httpx.AsyncClient) -> None:
    response = await client.post(
        "/v1/messages",
        json={"messages": [user("fail with status 429 and retry after 30")]},
    )

    assert response.status_code == 429
    assert response.headers["retry-after"] == "30"


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"messages": 1}', b"[" * 10**5])
async def test_a_body_that_is_none_is_refused(
    client: httpx.AsyncClient, body: bytes
) -> None:
    response = await client.post("/v1/messages", content=body)

    assert response.status_code == 400
    assert response.json()["error"]["type"] == "invalid_request_error"
