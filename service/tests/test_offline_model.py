# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""The offline model: what it answers to which words."""

from __future__ import annotations

import time
from dataclasses import dataclass

import pytest

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
