# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""The real CLI over the real sockets, against the offline model."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import time
import uuid
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from conftest import RunningStack, Stack, until

from agentd.agent.command import MARKER
from agentd.agent.processes import _is_marked, _processes
from agentd.errors import AgentLost, CallRefused, CliFailed
from agentd.spawner.control import SocketSpawner
from agentd.spawner.protocol import CliProcess, CliStart

pytestmark = pytest.mark.live
TURN_SECONDS = 30


class Conversation:
    """A CLI process spoken to as the SDK does."""

    def __init__(self, process: CliProcess) -> None:
        self.process = process
        self.uuid = ""
        self._chunks = process.stdout()

    async def send(self, text: str) -> None:
        """Say something, without waiting for the answer."""
        message = {"role": "user", "content": text}
        line = {"type": "user", "message": message, "parent_tool_use_id": None}
        await self.process.write(json.dumps(line).encode() + b"\n")

    async def say(self, text: str) -> str:
        """Say something; return the answer's text."""
        await self.send(text)
        async with asyncio.timeout(TURN_SECONDS):
            async for message in self.messages():
                if message["type"] == "assistant":
                    self.uuid = str(message["uuid"])
                if message["type"] == "result":
                    assert not message["is_error"], message
                    return str(message["result"])
        raise AssertionError(f"the CLI ended: {self.process.stderr_tail}")

    async def messages(self) -> AsyncIterator[dict[str, object]]:
        """Yield what the CLI prints."""
        rest = b""
        async for chunk in self._chunks:
            *lines, rest = (rest + chunk).split(b"\n")
            for line in lines:
                yield json.loads(line)


async def begin(
    stack: Stack, session_id: str | None = None, agent: str = "main"
) -> Conversation:
    """Start a CLI; resume the session if one is named."""
    start = CliStart(
        session_id=session_id or str(uuid.uuid4()), resume=session_id is not None
    )
    return Conversation(await stack.spawner.start_cli(agent, start))


def cli_processes(stack: Stack, agent: str = "main") -> list[int]:
    """Return the processes that the agent side has started and that still run."""
    path = stack.sockets_directory / agent / "control.sock"
    mark = {MARKER: f"test:{agent}:{path}"}
    return [pid for pid in _processes() if _is_marked(pid, mark)]


async def test_a_conversation_goes_on_in_one_process_and_in_a_new_one(
    running_stack: RunningStack,
) -> None:
    session = str(uuid.uuid4())
    async with running_stack() as stack:
        start = CliStart(session_id=session, resume=False)
        first = Conversation(await stack.spawner.start_cli("main", start))

        assert "I will remember: mango" in await first.say("Remember the word mango.")
        question = "Which words did I ask you to remember?"
        assert "mango" in await first.say(question)
        parameters = {"session_id": session, "uuid": first.uuid}
        before = await stack.spawner.call(
            "main", "transcript_state", parameters, timeout_seconds=5
        )
        await first.process.aclose()
        second = await begin(stack, session)
        assert "mango" in await second.say(question)
        after = await stack.spawner.call(
            "main",
            "transcript_state",
            {"session_id": session, "uuid": second.uuid},
            timeout_seconds=5,
        )
        await second.process.aclose()

    assert before["holds"] is True and after["holds"] is True
    assert before["path"] == after["path"]
    assert isinstance(before["size"], int) and isinstance(after["size"], int)
    assert after["size"] > before["size"]


async def test_a_tool_runs_in_the_agent_without_key_or_inherited_names(
    running_stack: RunningStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-secret")
    async with running_stack() as stack:
        conversation = await begin(stack)

        answer = await conversation.say('tool Bash {"command": "env; pwd"}')
        await conversation.process.aclose()

    assert f"CLAUDE_CONFIG_DIR={stack.memory() / '.claude'}" in answer
    assert str(stack.memory()) in answer
    assert "sk-secret" not in answer
    assert "AGENTD_SETTINGS" not in answer


async def test_a_session_that_does_not_exist_ends_with_the_cli_s_own_words(
    running_stack: RunningStack,
) -> None:
    async with running_stack() as stack:
        conversation = await begin(stack, str(uuid.uuid4()))
        await conversation.send("Hello")

        status = await drain(conversation.process)

    assert status == 1
    assert "No conversation found" in conversation.process.stderr_tail


async def drain(process: CliProcess) -> int:
    """Read what is left; return the exit status."""
    async with asyncio.timeout(TURN_SECONDS):
        async for _ in process.stdout():
            continue
        return await process.wait()


async def test_an_interrupted_process_takes_its_tools_with_it(
    running_stack: RunningStack,
) -> None:
    async with running_stack() as stack:
        conversation = await begin(stack)
        await conversation.send(
            'tool Bash {"command": "touch begun; sleep 100 & wait; true"}'
        )
        await until((stack.memory() / "begun").exists)
        assert len(cli_processes(stack)) > 1

        await conversation.process.signal("KILL")

        assert await drain(conversation.process) == -signal.SIGKILL
        await until(lambda: cli_processes(stack) == [], 5)


async def test_a_lost_link_lets_the_turn_finish(
    running_stack: RunningStack,
) -> None:
    session = str(uuid.uuid4())
    async with running_stack(with_spawner=False) as stack:
        start = CliStart(session_id=session, resume=False)
        async with spawning(stack) as spawner:
            process = await spawner.start_cli("main", start)
            conversation = Conversation(process)
            await conversation.send("answer slowly for 1.5 seconds")
            await until(lambda: transcript(stack, session) is not None)
        with pytest.raises(AgentLost):
            await process.wait()
        assert cli_processes(stack) != []

        await until(lambda: cli_processes(stack) == [], 10)

        path = transcript(stack, session)
        assert path is not None
        assert "This answer took 1.5 seconds." in path.read_text()


async def test_a_lost_link_ends_a_turn_that_does_not_finish_in_time(
    running_stack: RunningStack,
) -> None:
    async with running_stack(with_spawner=False, drain_seconds=1) as stack:
        async with spawning(stack) as spawner:
            start = CliStart(session_id=str(uuid.uuid4()), resume=False)
            conversation = Conversation(await spawner.start_cli("main", start))
            await conversation.send("hang")
            await asyncio.sleep(1)

        await until(lambda: cli_processes(stack) == [], 5)
        async with spawning(stack) as spawner:
            stack.use(spawner)
            again = await begin(stack)
            assert "mango" in await again.say("Remember the word mango.")
            await again.process.aclose()


def spawning(stack: Stack) -> Connected:
    """Return a spawner for the stack that has its agents connected."""
    return Connected(stack)


class Connected:
    """A spawner as a context, entered when every agent is connected."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._spawner = SocketSpawner(
            stack.sockets_directory, stack.agents, time.monotonic
        )

    async def __aenter__(self) -> SocketSpawner:
        await self._spawner.__aenter__()
        self._stack.use(self._spawner)
        for agent in self._stack.agents:
            await self._stack.until_connected(agent)
        return self._spawner

    async def __aexit__(self, *error: object) -> None:
        await self._spawner.__aexit__(None, None, None)


def transcript(stack: Stack, session: str) -> Path | None:
    """Return the session's transcript, if there is one already."""
    found = stack.memory().glob(f".claude/projects/*/{session}.jsonl")
    return next(found, None)


async def test_killing_the_agent_side_leaves_no_process_behind(
    running_stack: RunningStack,
) -> None:
    async with running_stack() as stack:
        idle = await begin(stack)
        await idle.say("Hello")
        busy = await begin(stack)
        await busy.send("hang")
        await asyncio.sleep(0.7)
        assert len(cli_processes(stack)) >= 2

        stack.sides["main"].kill()
        await asyncio.to_thread(stack.sides["main"].wait)
        with pytest.raises(AgentLost):
            await busy.process.wait()
        stack.start_side()
        await stack.until_connected()

        await until(lambda: cli_processes(stack) == [], 5)


async def test_stopping_the_agent_side_lets_the_turn_finish(
    running_stack: RunningStack,
) -> None:
    async with running_stack() as stack:
        idle = await begin(stack)
        await idle.say("Hello")
        busy = await begin(stack)
        await busy.send("answer slowly for 1.5 seconds")
        await asyncio.sleep(0.7)

        stack.sides["main"].send_signal(signal.SIGTERM)

        assert await drain(idle.process) == 0
        with pytest.raises(CliFailed, match="stopping"):
            await begin(stack)
        answers = [message async for message in busy.messages()]
        assert "1.5 seconds" in json.dumps(answers)
        assert await asyncio.to_thread(stack.sides["main"].wait, 10) == 0
        assert cli_processes(stack) == []


async def test_no_more_processes_run_than_the_settings_allow(
    running_stack: RunningStack,
) -> None:
    async with running_stack() as stack:
        await restart_side(stack, max_processes=1)
        only = await begin(stack)

        with pytest.raises(CliFailed, match="max_processes"):
            await begin(stack)
        await only.process.aclose()
        again = await begin(stack)
        await again.process.aclose()


async def restart_side(stack: Stack, **settings: object) -> None:
    """Start the agent side again with other settings."""
    side = stack.sides["main"]
    side.terminate()
    await asyncio.to_thread(side.wait)
    await until(lambda: not stack.spawner.states()["main"].connected)
    stack.start_side(**settings)
    await stack.until_connected()


async def test_two_agents_have_sessions_of_their_own(
    running_stack: RunningStack,
) -> None:
    session = str(uuid.uuid4())
    async with running_stack(agents=("main", "mail")) as stack:
        start = CliStart(session_id=session, resume=False)
        process = await stack.spawner.start_cli("main", start)
        await Conversation(process).say("Remember the word mango.")
        await process.aclose()

        foreign = await begin(stack, session, "mail")
        await foreign.send("Which words did I ask you to remember?")

        assert await drain(foreign.process) == 1


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("run", {"command": "id"}),
        ("transcript_state", {"session_id": "../../../etc/passwd"}),
        ("transcript_state", {"session_id": str(uuid.uuid4()), "uuid": "x"}),
        ("start_cli", {"stream": "x", "start": {}}),
        ("start_cli", {"stream": "0" * 32, "start": {"session_id": "--help"}}),
        ("signal_cli", {"stream": "0" * 32, "signal": "STOP"}),
    ],
)
async def test_what_is_not_among_the_calls_is_refused(
    running_stack: RunningStack, name: str, parameters: dict[str, object]
) -> None:
    async with running_stack() as stack:
        with pytest.raises(CallRefused):
            await stack.spawner.call("main", name, parameters, timeout_seconds=5)


async def test_a_directory_that_cannot_be_written_is_named_with_its_owner(
    running_stack: RunningStack,
) -> None:
    async with running_stack() as stack:
        good = await stack.spawner.call("main", "probe", {}, timeout_seconds=5)
        projects = stack.memory() / ".claude" / "projects"
        projects.rmdir()
        projects.write_text("in the way")

        bad = await stack.spawner.call("main", "probe", {}, timeout_seconds=5)
        with pytest.raises(CliFailed, match=str(projects)):
            await begin(stack)
        projects.unlink()
        again = await stack.spawner.call("main", "probe", {}, timeout_seconds=5)

    assert good["ok"] is True and again["ok"] is True
    assert bad["ok"] is False
    assert bad["volumes"] == {"memory": True, "sessions": False, "skill_data": True}
    assert f"uid {os.geteuid()}" in str(bad["errors"])
    assert "belongs to" in str(bad["errors"])
