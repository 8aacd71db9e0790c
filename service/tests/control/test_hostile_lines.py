# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Lines that take much memory, or ask for much, end the client that wrote them."""

from __future__ import annotations

import asyncio
import json
import math
from typing import Any

import pytest

from agentd.engine.lines import MAX_LINE_BYTES, LineReader, parse_line
from agentd.errors import CliFailed

from .test_claude import ANSWERED, Process, read


def request(number: int) -> bytes:
    wanted = {"type": "control_request", "request_id": f"r{number}", "request": {}}
    return json.dumps(wanted).encode() + b"\n"


class Deaf(Process):
    """A process whose input is never read."""

    def __init__(self, chunks: list[bytes]) -> None:
        super().__init__(chunks)
        self.writers = 0

    async def write(self, data: bytes) -> None:
        self.writers += 1
        await asyncio.Event().wait()


def test_a_line_of_very_many_values_is_not_parsed() -> None:
    bomb = b'{"type":"result","a":[' + b"[]," * 1_000_000 + b"[]]}"

    with pytest.raises(CliFailed, match="brackets"):
        parse_line(bomb)


@pytest.mark.parametrize(
    "message",
    [
        {"type": "system", "subtype": "task_started", "task_id": "x" * 1000},
        {"type": "user", "message": {}},
        {"type": ["assistant"]},
        {},
    ],
)
def test_what_is_not_used_never_reaches_the_sdk(message: dict[str, Any]) -> None:
    assert parse_line(json.dumps(message).encode()) is None


def test_a_tools_long_answer_is_skipped_and_not_held() -> None:
    reader = LineReader()
    long = b'{"type":"user","message":"' + b"x" * 2 * MAX_LINE_BYTES
    start = list(reader.feed(long[:100_000]))

    more = [found for _count in range(9) for found in reader.feed(long)]
    after = list(reader.feed(b'"}\n{"type":"assistant"}\n'))

    told = [message for _size, message in after]
    assert (start, more, told) == ([], [], [{"type": "assistant"}])
    assert not reader._buffer


async def test_what_comes_before_the_first_answer_is_bounded() -> None:
    line = b'{"type":"assistant","text":"' + b"x" * 200_000 + b'"}\n'

    early = read(Process([line] * 10))
    late = read(Process([ANSWERED, *[line] * 10]))

    with pytest.raises(CliFailed, match="before it answered"):
        await early
    assert len(await late) == 11


async def test_requests_of_the_cli_are_refused_one_after_another() -> None:
    process = Process([request(1) + request(2)])

    told = await read(process)

    answers = [json.loads(line) for line in process.written.splitlines()]
    assert told == []
    assert [one["response"]["request_id"] for one in answers] == ["r1", "r2"]
    assert {one["response"]["subtype"] for one in answers} == {"error"}


async def test_a_cli_that_takes_no_answers_is_not_read_any_more() -> None:
    process = Deaf([b"".join(request(number) for number in range(1000))])

    with pytest.raises(TimeoutError):
        await asyncio.wait_for(read(process), 0.1)

    assert process.writers == 1


@pytest.mark.parametrize("request_id", [7, None, "x" * 1000])
async def test_a_request_without_a_short_id_ends_the_client(request_id: object) -> None:
    line = json.dumps({"type": "control_request", "request_id": request_id}).encode()

    with pytest.raises(CliFailed, match="id of its own"):
        await read(Process([line + b"\n"]))


def test_little_is_kept_of_what_the_sdk_holds_as_long_as_a_client_lives() -> None:
    much: dict[str, object] = {f"k{number}": [[]] * 10 for number in range(2000)}
    greeting = {
        "type": "control_response",
        "response": {"subtype": "success", "request_id": "r", "response": much},
    }
    failed = {
        "type": "result",
        "subtype": "error_during_execution",
        "is_error": True,
        "session_id": "s",
        "result": "x" * 1_000_000,
        "errors": ["y" * 100_000] * 3 + [7] * 1000,
        "num_turns": [[]] * 1000,
        "origin": {"kind": "task-notification", "more": much},
        "permission_denials": [much],
        "modelUsage": much,
    }

    short = [
        len(json.dumps(parse_line(json.dumps(one).encode())))
        for one in (greeting, failed)
    ]

    assert max(short) < 10_000


def test_a_cost_of_hundreds_of_digits_is_no_fault_of_ours() -> None:
    usage = {"model": {"costUSD": 10**400}, "other": {"costUSD": 1.5}}
    line = {"type": "result", "model_usage_since_last_result": usage}

    message = parse_line(json.dumps(line).encode())

    assert message is not None
    assert message["total_cost_usd"] == math.inf


def test_a_refusal_keeps_its_words() -> None:
    refused = {"subtype": "error", "request_id": "r", "error": "No such model."}
    line = {"type": "control_response", "response": refused}

    told = parse_line(json.dumps(line).encode())

    assert told == {
        "type": "control_response",
        "response": {**refused, "response": {}},
    }
