# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""The real CLI over the real sockets, against the offline model."""

from __future__ import annotations

import asyncio
import os
import uuid

import pytest
from conftest import RunningStack, Stack, until
from spoken import Conversation, begin, drain

from agentd.errors import CallRefused, CliFailed
from agentd.spawner.protocol import CliStart

pytestmark = pytest.mark.live


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


async def test_a_session_has_one_process_so_that_its_history_is_one(
    running_stack: RunningStack,
) -> None:
    """G18: of two that wrote it, the later would hide what the other was told."""
    session = str(uuid.uuid4())
    async with running_stack() as stack:
        start = CliStart(session_id=session, resume=False)
        lost = Conversation(await stack.spawner.start_cli("main", start))
        await lost.say("Remember the word mango.")

        second = await begin(stack, session)
        ended = await drain(lost.process)
        await second.say("Remember the word kiwi.")
        await second.process.aclose()

    assert ended == 0


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
        # Nobody can write there, root neither.
        projects.symlink_to("/proc/self")

        bad = await stack.spawner.call("main", "probe", {}, timeout_seconds=5)
        with pytest.raises(CliFailed, match=str(projects)):
            await begin(stack)
        projects.unlink()
        projects.write_text("in the way, and then beside it")
        again = await stack.spawner.call("main", "probe", {}, timeout_seconds=5)

    assert good["ok"] is True and again["ok"] is True
    assert bad["ok"] is False
    assert bad["volumes"] == {"memory": True, "sessions": False, "skill_data": True}
    assert f"uid {os.geteuid()}" in str(bad["errors"])
    assert "belongs to" in str(bad["errors"])
