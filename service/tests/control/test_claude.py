# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""The SDK's words in ours: messages, errors, and lines of the transport."""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator
from pathlib import Path

import claude_agent_sdk as sdk
import pytest
from claude_agent_sdk import _errors as sdk_errors

from agentd.engine import claude
from agentd.engine.claude import map_error, translate
from agentd.engine.client import Background, Began, Ended, Said, WritesLost
from agentd.engine.lines import MAX_LINE_BYTES, parse_line
from agentd.engine.protocol import Chunk, Thinking, ToolUse
from agentd.engine.transport import CliTransport
from agentd.errors import (
    AgentdError,
    AgentLost,
    AgentUnavailable,
    CliFailed,
    SessionNotFound,
)
from agentd.spawner.protocol import CliProcess, CliStart, SignalName

from .fakes import FakeSpawner, wish

ANSWERED = b'{"type":"control_response"}\n'
UUID = "33333333-3333-4333-8333-333333333333"
SAMPLES: dict[str, Exception] = {
    "ClaudeSDKError": sdk.ClaudeSDKError("x"),
    "CLIConnectionError": sdk.CLIConnectionError("x"),
    "CLINotFoundError": sdk.CLINotFoundError("x"),
    "ProcessError": sdk.ProcessError("x", exit_code=1, stderr="y"),
    "ResultError": sdk.ResultError("x", data={}, exit_code=1),
    "CLIJSONDecodeError": sdk.CLIJSONDecodeError("x", ValueError()),
    "MessageParseError": sdk_errors.MessageParseError("x"),
}


class Process:
    """A CLI process that writes what it is told and ends."""

    def __init__(self, chunks: list[bytes], status: int = 0, stderr: str = "") -> None:
        self.chunks = chunks
        self.status = status
        self.stderr_tail = stderr
        self.written = b""
        self.closed = 0

    async def write(self, data: bytes) -> None:
        self.written += data

    async def close_input(self) -> None:
        self.closed += 1

    async def stdout(self) -> AsyncIterator[bytes]:
        for chunk in self.chunks:
            yield chunk

    async def signal(self, name: SignalName) -> None:
        self.written += name.encode()

    async def wait(self) -> int:
        if self.status == -1000:
            raise AgentLost("The link went away.")
        return self.status

    async def aclose(self) -> None:
        self.closed += 1

    def abandon(self) -> None:
        self.closed += 1


class Starts(FakeSpawner):
    """A spawner that starts one given process."""

    def __init__(self, process: Process) -> None:
        super().__init__()
        self.process = process
        self.started: list[tuple[str, CliStart]] = []

    async def start_cli(self, agent: str, start: CliStart) -> CliProcess:
        self.started.append((agent, start))
        return self.process


async def read(process: Process) -> list[dict[str, object]]:
    transport = CliTransport(Starts(process), "main", CliStart(UUID, resume=False))
    await transport.connect()
    return [message async for message in transport.read_messages()]


def test_every_error_of_the_sdk_is_mapped() -> None:
    """A new version of the SDK with a new error fails here."""
    known = {
        name
        for module in (sdk, sdk_errors)
        for name, value in inspect.getmembers(module, inspect.isclass)
        if issubclass(value, sdk.ClaudeSDKError)
    }

    mapped = {name: map_error(error, "") for name, error in SAMPLES.items()}

    assert known == set(mapped)
    assert all(isinstance(error, AgentdError) for error in mapped.values())
    assert isinstance(mapped["CLINotFoundError"], AgentUnavailable)
    assert isinstance(mapped["ProcessError"], CliFailed)


def test_a_refused_resume_is_known_by_its_words_wherever_they_stand() -> None:
    told = "No conversation found with session ID: x"

    assert isinstance(map_error(sdk.ProcessError("x"), told), SessionNotFound)
    assert isinstance(map_error(Exception(told), ""), SessionNotFound)
    assert not isinstance(map_error(Exception("timeout"), ""), SessionNotFound)


def test_the_sdk_is_imported_in_one_file_only() -> None:
    own = Path(claude.__file__)

    importers = [
        path.name
        for path in own.parents[1].rglob("*.py")
        if "import claude_agent_sdk" in path.read_text(encoding="utf-8")
    ]

    assert importers == [own.name]


def test_deltas_become_chunks_and_thoughts() -> None:
    def delta(**values: str) -> sdk.StreamEvent:
        return sdk.StreamEvent(
            uuid="u",
            session_id="s",
            event={"type": "content_block_delta", "delta": values},
        )

    assert list(translate(delta(type="text_delta", text="a"))) == [Chunk("a")]
    assert list(translate(delta(type="thinking_delta", thinking="b"))) == [
        Thinking("b")
    ]
    assert list(translate(delta(type="input_json_delta", partial_json="{"))) == []
    assert list(translate(sdk.StreamEvent("u", "s", {"delta": 7}))) == []


def test_an_answer_becomes_its_tools_and_itself() -> None:
    message = sdk.AssistantMessage(
        content=[sdk.TextBlock("t"), sdk.ToolUseBlock("1", "Bash", {"command": "id"})],
        model="m",
        uuid=UUID,
    )

    assert list(translate(message)) == [
        ToolUse("Bash", {"command": "id"}),
        Said(uuid=UUID, model="m", text="t"),
    ]


def test_what_a_subagent_says_is_not_the_answer() -> None:
    message = sdk.AssistantMessage(
        content=[sdk.TextBlock("t")], model="m", parent_tool_use_id="p", uuid=UUID
    )

    assert list(translate(message)) == []


def test_the_beginning_and_lost_writes_are_told() -> None:
    init = sdk.SystemMessage("init", {"session_id": UUID, "model": "m"})
    lost = sdk.SystemMessage("session_writes_lost", {"error_code": "ENOSPC"})

    assert list(translate(init)) == [Began(UUID, "m")]
    assert list(translate(lost)) == [WritesLost("ENOSPC")]


@pytest.mark.parametrize(("tasks", "count"), [([{}, {}], 2), ([], 0), ("many", 0)])
def test_background_tasks_are_counted(tasks: object, count: int) -> None:
    changed = sdk.SystemMessage("background_tasks_changed", {"tasks": tasks})

    assert list(translate(changed)) == [Background(count)]


def test_a_success_with_is_error_is_an_error() -> None:
    result = sdk.ResultMessage(
        subtype="success",
        duration_ms=1,
        duration_api_ms=1,
        is_error=True,
        num_turns=1,
        session_id=UUID,
        result="API Error: 529",
        user_message_uuid="id",
    )

    assert list(translate(result)) == [
        Ended(True, "API Error: 529", "API Error: 529", UUID, answered=("id",))
    ]


async def test_all_that_a_wish_says_reaches_the_agent() -> None:
    spawner = Starts(Process([], status=1))
    wanted = wish(
        resume=True,
        model="m",
        fallback_model="f",
        permission_mode="plan",
        thinking_tokens=7,
        system_prompt="Be brief.",
        mcp_servers_json='{"clock":{"command":"clock","args":[]}}',
        tools=("send_message",),
        resume_at=UUID,
    )

    with pytest.raises(CliFailed):
        await claude.ClaudeClients(spawner)(wanted, claude.nowhere).connect()

    ((agent, start),) = spawner.started
    assert agent == wanted.agent
    assert start == CliStart(
        session_id=wanted.session_id,
        resume=True,
        model="m",
        fallback_model="f",
        permission_mode="plan",
        thinking_tokens=7,
        system_prompt="Be brief.",
        mcp_servers={"clock": {"command": "clock", "args": []}},
        tools=True,
        resume_at=UUID,
    )


async def test_a_new_session_has_no_point_to_resume_at() -> None:
    spawner = Starts(Process([], status=1))
    wanted = wish(resume_at=UUID, mcp_servers_json="{}")

    with pytest.raises(CliFailed):
        await claude.ClaudeClients(spawner)(wanted, claude.nowhere).connect()

    assert [start for _agent, start in spawner.started] == [
        CliStart(session_id=wanted.session_id, resume=False)
    ]


async def test_lines_are_put_together_from_chunks() -> None:
    lines = [b'{"type": "%s"}' % name for name in (b"stream_event", b"assistant")]
    process = Process(
        [lines[0] + b"\n" + lines[1][:9], lines[1][9:], b"\nnoise\n[1]\n"]
    )

    assert await read(process) == [
        {"type": "stream_event"},
        {"type": "assistant"},
    ]


async def test_a_crash_is_told_with_its_last_words() -> None:
    with pytest.raises(CliFailed, match=r"status -9.*killed"):
        await read(Process([b'{"a": 1}\n'], status=-9, stderr="killed"))


async def test_a_refused_resume_is_a_session_that_was_not_found() -> None:
    with pytest.raises(SessionNotFound):
        await read(Process([], status=1, stderr="No conversation found with session"))


async def test_a_lost_link_is_told_as_such() -> None:
    with pytest.raises(AgentLost):
        await read(Process([], status=-1000))


async def test_a_line_without_an_end_is_bounded() -> None:
    chunk = b"{" + b"x" * 1_000_000

    with pytest.raises(CliFailed, match=str(MAX_LINE_BYTES)):
        await read(Process([ANSWERED, *[chunk] * 20]))


@pytest.mark.parametrize(
    "line", [b'{"a":', b'{"a": ' + b"[" * 100_000, b"{" + b'"a":{' * 100_000]
)
def test_a_line_that_is_no_json_is_refused(line: bytes) -> None:
    with pytest.raises(CliFailed, match="not JSON"):
        parse_line(line)
