# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""Transcripts of the real CLI: every damage judged, every verdict put to the proof."""

from __future__ import annotations

import asyncio
import json
import shutil
import uuid
from pathlib import Path

import pytest
from conftest import RunningStack, Stack
from damaged_transcripts import DAMAGES, SESSION, WORDS, Damage
from spoken import Conversation, begin, drain

from agentd.errors import CallRefused
from agentd.spawner.protocol import CliStart
from agentd.transcripts.find import Places
from agentd.transcripts.repair import repair
from agentd.transcripts.scan import scan_session

pytestmark = pytest.mark.live

QUESTION = "Which words did I ask you to remember?"
CALL_SECONDS = 60
# The damage that stands for its verdict, and what the CLI then remembers of the
# words; nothing where it finds no conversation.
PROOFS = {
    "nothing": WORDS,
    "a hole of NULs in place of a line": ("mango", "plum"),
    "NULs before a line": ("mango", "plum"),
    "NULs only": None,
    "lines of something else": None,
}


async def call(stack: Stack, name: str, **parameters: object) -> dict[str, object]:
    """Call the agent side as control does."""
    return dict(
        await stack.spawner.call("main", name, parameters, timeout_seconds=CALL_SECONDS)
    )


async def test_the_real_cli_agrees_with_every_verdict(
    running_stack: RunningStack,
) -> None:
    async with running_stack() as stack:
        file = await _converse(stack)
        lines = file.read_bytes().splitlines(keepends=True)
        await asyncio.to_thread(_judge_all, stack, lines)
        for damage in DAMAGES:
            if damage.name in PROOFS:
                await _prove(stack, file, damage, lines)


async def _converse(stack: Stack) -> Path:
    """Hold a conversation; look at its transcript while its CLI runs."""
    start = CliStart(session_id=SESSION, resume=False)
    conversation = Conversation(await stack.spawner.start_cli("main", start))
    for word in WORDS[:-1]:
        await conversation.say(f"Remember the word {word}.")
    state = await _turn(stack, conversation, f"Remember the word {WORDS[-1]}.")
    with pytest.raises(CallRefused, match="a CLI of it runs"):
        await call(stack, "repair_transcript", session_id=SESSION)
    await conversation.process.aclose()

    answer = str(state["answer"])
    assert (state["running"], state["found"], state["ended"]) == (True, True, True)
    assert answer.endswith(f"I will remember: {WORDS[-1]}.")
    listed = await call(stack, "list_transcripts", after=None, limit=10)
    assert str(listed["sessions"]).count(SESSION) == 1
    scans = await call(stack, "scan_transcripts", session_ids=[SESSION])
    found = scans["sessions"][SESSION]  # type: ignore[index]
    assert found["verdict"] == "sound"
    return Path(str(found["path"]))


def _judge_all(stack: Stack, lines: list[bytes]) -> None:
    """Judge and repair each damage of the real lines, in a place of their own."""
    places = Places(stack.directory / "judged", Path("/data/memory"))
    directory = places.projects / places.own_project
    for damage in DAMAGES:
        directory.mkdir(parents=True)
        file = directory / f"{SESSION}.jsonl"
        file.write_bytes(damage.deed(lines))

        scan = scan_session(places, SESSION)
        result = repair(places, SESSION, lambda deed: deed())

        assert (damage.name, scan.verdict) == (damage.name, damage.verdict)
        assert {fault.kind for fault in scan.faults} == damage.kinds, damage.name
        assert result.repaired is (damage.words is not None), damage.name
        if result.repaired:
            assert scan_session(places, SESSION).verdict == "sound"
        shutil.rmtree(directory)


async def _prove(stack: Stack, file: Path, damage: Damage, lines: list[bytes]) -> None:
    """Let the CLI resume the damaged session, then what a repair makes of it."""
    expected = PROOFS[damage.name]
    session = await _put(file, damage, lines)
    assert await _remembered(stack, session) == expected
    if damage.words is None:
        return
    session = await _put(file, damage, lines)
    answer = await call(stack, "repair_transcript", session_id=session)
    assert answer["repaired"] is True
    assert await _remembered(stack, session) == damage.words
    # What is kept beside it is no session, and nothing has touched it since.
    kept = Path(str(answer["kept"]))
    assert kept.read_bytes() == _of(session, damage.deed(lines))


async def _put(file: Path, damage: Damage, lines: list[bytes]) -> str:
    session = str(uuid.uuid4())
    content = _of(session, damage.deed(lines))
    file.with_name(f"{session}.jsonl").write_bytes(content)
    return session


def _of(session: str, content: bytes) -> bytes:
    return content.replace(SESSION.encode(), session.encode())


async def _remembered(stack: Stack, session: str) -> tuple[str, ...] | None:
    conversation = await begin(stack, session)
    try:
        if scan_session(_places(stack), session).verdict in ("unusable", "foreign"):
            await conversation.send(QUESTION)
            assert await drain(conversation.process) == 1
            assert "No conversation found" in conversation.process.stderr_tail
            return None
        answer = await conversation.say(QUESTION)
        return tuple(word for word in WORDS if word in answer)
    finally:
        await conversation.process.aclose()


def _places(stack: Stack) -> Places:
    return Places(stack.memory() / ".claude", stack.memory())


async def test_turns_of_the_real_cli_are_followed_to_their_end(
    running_stack: RunningStack,
) -> None:
    async with running_stack() as stack:
        start = CliStart(session_id=SESSION, resume=False)
        spoken = Conversation(await stack.spawner.start_cli("main", start))
        tool = await _turn(stack, spoken, 'tool Bash {"command": "echo it-ran"}')
        failed = await _turn(stack, spoken, "fail with status 400")
        compacted = await _turn(stack, spoken, "/compact")
        after = await _turn(stack, spoken, "Remember the word fig.")
        asked = await _say(spoken, "answer slowly for 60 seconds")
        await _until_found(stack, asked)
        broken_off = await _state(stack, asked)
        await spoken.process.signal("KILL")
        await drain(spoken.process)
        killed = await _state(stack, asked)
        again = await begin(stack, SESSION)
        await again.say("Remember the word lime.")
        resumed = await _state(stack, asked)
        await again.process.aclose()

    assert "it-ran" in str(tool["answer"])
    assert (tool["ended"], tool["is_error"]) == (True, False)
    assert (failed["ended"], failed["is_error"]) == (True, True)
    assert compacted["found"] is True
    assert compacted["answer"] is None
    assert "fig" in str(after["answer"])
    nothing = {"found": True, "answer": None, "is_error": False}
    for state in (broken_off, killed, resumed):
        assert {key: state[key] for key in nothing} == nothing
    assert (broken_off["running"], broken_off["ended"]) == (True, False)
    assert (killed["running"], killed["ended"]) == (False, False)
    # The CLI has put in an answer of its own, which is none.
    assert resumed["ended"] is True


async def _say(spoken: Conversation, text: str) -> str:
    message_uuid = str(uuid.uuid4())
    line = {
        "type": "user",
        "uuid": message_uuid,
        "message": {"role": "user", "content": text},
        "parent_tool_use_id": None,
    }
    await spoken.process.write(json.dumps(line).encode() + b"\n")
    return message_uuid


async def _turn(stack: Stack, spoken: Conversation, text: str) -> dict[str, object]:
    """Take a turn; return what the transcript then holds of it."""
    message_uuid = await _say(spoken, text)
    async with asyncio.timeout(CALL_SECONDS):
        async for message in spoken.messages():
            if message["type"] == "result":
                break
    return await _state(stack, message_uuid)


async def _state(stack: Stack, message_uuid: str) -> dict[str, object]:
    asked = {"session_id": SESSION, "message_uuid": message_uuid}
    return await call(stack, "turn_state", **asked)


async def _until_found(stack: Stack, message_uuid: str) -> None:
    async with asyncio.timeout(CALL_SECONDS):
        while not (await _state(stack, message_uuid))["found"]:
            await asyncio.sleep(0.05)
