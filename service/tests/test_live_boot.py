# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""What the real CLI makes of what the boot and the start give it."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import time
import uuid
from pathlib import Path

import pytest
from conftest import RunningStack, Stack, until
from heard import heard_side, server_words
from spoken import Conversation, cli_processes
from test_live_engine import SEND, engine_over, wish

from agentd.errors import CliFailed
from agentd.spawner.protocol import CliStart

pytestmark = pytest.mark.live


async def begin(stack: Stack, **wish: object) -> Conversation:
    """Start a CLI with this wish."""
    values: dict[str, object] = {"session_id": str(uuid.uuid4()), "resume": False}
    start = CliStart(**{**values, **wish})  # type: ignore[arg-type]
    return Conversation(await stack.spawner.start_cli("main", start))


async def call(stack: Stack, name: str, **parameters: object) -> dict[str, object]:
    """Call the agent side."""
    return await stack.spawner.call("main", name, parameters, timeout_seconds=10)


async def stopped(stack: Stack) -> None:
    """Stop the agent side, as its container's engine does."""
    side = stack.sides["main"]
    side.terminate()
    assert await asyncio.to_thread(side.wait, 15) == 0
    await until(lambda: not stack.spawner.states()["main"].connected)


async def test_persona_notes_and_servers_reach_the_model_and_the_home_stays_empty(
    short_path: Path,
) -> None:
    """E03, E05, E09: in a layout of separate directories."""
    home, config = short_path / "home", short_path / "config"
    config.mkdir()
    (short_path / "org").mkdir()
    (short_path / "org" / "CLAUDE.md").write_text("Rule of the organisation.")
    async with heard_side(short_path) as (stack, heard):
        (stack.memory() / "CLAUDE.md").write_text("Persona of the user.")
        (stack.memory() / "MEMORY.md").write_text("- A note of the agent itself.")
        stack.start_side(home_directory=str(home), config_directory=str(config))
        await stack.until_connected()

        servers = {"files": server_words(short_path, "a request's server")}
        conversation = await begin(stack, mcp_servers=servers)
        answer = await conversation.say("tool mcp__files__hello {}")
        await conversation.process.aclose()
        system, body = heard.system(), heard.bodies[-1]
        await until(lambda: not cli_processes(stack))
        replaced = await begin(stack, system_prompt="Say nothing else.")
        await replaced.say("Hello")
        await replaced.process.aclose()

    assert "a marked hello from a request's server" in answer
    assert "Rule of the organisation." in system
    assert "Persona of the user." in body
    assert "A note of the agent itself." in body
    assert "Say nothing else." in heard.system()
    assert "Rule of the organisation." not in heard.bodies[-1]
    assert "Persona of the user." in heard.bodies[-1]
    # Logs of MCP servers are a cache to the CLI.
    assert sorted(set(os.listdir(home)) - {".cache"}) == [".claude"]
    assert (config / ".claude.json").is_file()


async def test_the_state_file_outlives_the_home_and_its_own_damage(
    running_stack: RunningStack,
) -> None:
    """E05: the CLI refuses to start with a damaged one."""
    async with running_stack() as stack:
        state = stack.memory() / ".claude" / ".claude.json"
        first = await begin(stack)
        await first.say("Hello")
        await first.process.aclose()
        before = json.loads(state.read_text())
        await stopped(stack)
        shutil.rmtree(stack.directory / "home", ignore_errors=True)
        stack.start_side(home_directory=str(stack.directory / "home"))
        await stack.until_connected()
        state.write_text(state.read_text()[:40])

        second = await begin(stack)
        answer = await second.say("Hello")
        await second.process.aclose()

    assert "I read your message" in answer
    assert before["firstStartTime"] == json.loads(state.read_text())["firstStartTime"]
    assert state.with_name(".claude.json.kept-1").is_file()


async def test_a_session_is_resumed_at_a_message_that_is_there(
    running_stack: RunningStack,
) -> None:
    """G17: one that is not there is left out."""
    session = str(uuid.uuid4())
    async with running_stack() as stack:
        first = await begin(stack, session_id=session)
        await first.say("Remember the word mango.")
        middle = first.uuid
        await first.say("Remember the word cherry.")
        await first.process.aclose()

        missing = await begin(
            stack, session_id=session, resume=True, resume_at=str(uuid.uuid4())
        )
        all_words = await missing.say("Which words did I ask you to remember?")
        await missing.process.aclose()
        cut = await begin(stack, session_id=session, resume=True, resume_at=middle)
        words = await cut.say("Which words did I ask you to remember?")
        await cut.process.aclose()

    assert "mango, cherry" in all_words
    assert "mango" in words and "cherry" not in words


async def test_the_own_sign_in_of_the_cli_is_the_one_that_it_uses(
    short_path: Path,
) -> None:
    """P10, P11, J14: the token comes from the credentials directory, no key from us."""
    credentials = short_path / "main" / "credentials"
    token = {
        "accessToken": "token-of-the-agent",
        "refreshToken": "r",
        "scopes": ["user:inference"],
    }
    async with heard_side(short_path) as (stack, heard):
        credentials.mkdir()
        stack.start_side(sign_in="direct")
        await stack.until_connected()
        missing = await call(stack, "credentials_status")
        warned = await call(stack, "probe")
        expires = int(time.time() + 7200) * 1000
        value = {"claudeAiOauth": {**token, "expiresAt": expires}}
        (credentials / ".credentials.json").write_text(json.dumps(value))

        conversation = await begin(stack)
        await conversation.say("Hello")
        await conversation.process.aclose()
        valid = await call(stack, "credentials_status")

    sent = heard.headers[-1]
    assert missing == {"status": "missing", "expires_at": None}
    assert "sign-in is missing" in str(warned["warnings"])
    assert valid == {"status": "valid", "expires_at": expires / 1000}
    assert sent["authorization"] == "Bearer token-of-the-agent"
    assert "x-api-key" not in sent


async def test_no_transcript_is_swept_away_that_the_agent_should_keep(
    running_stack: RunningStack,
) -> None:
    """E07: a retention that the agent has shortened since the boot does not count."""
    async with running_stack() as stack:
        config = stack.memory() / ".claude"
        old = config / "projects" / "-old" / f"{uuid.uuid4()}.jsonl"
        old.parent.mkdir()
        old.write_text("{}\n")
        os.utime(old, (time.time() - 40 * 86400,) * 2)
        (config / "settings.json").write_text('{"cleanupPeriodDays": 1}')
        before = await call(stack, "probe")

        conversation = await begin(stack)
        await conversation.say("Hello")
        await until((config / ".last-cleanup").exists)
        await asyncio.sleep(1)
        await conversation.process.aclose()
        after = await call(stack, "probe")

    assert old.exists()
    assert before["retention_swept_at"] is None
    assert isinstance(after["retention_swept_at"], float)


MANAGED = """
mount -t tmpfs none /mnt && mkdir /mnt/upper /mnt/work
mount -t overlay none -o lowerdir=/etc,upperdir=/mnt/upper,workdir=/mnt/work /etc
mkdir /etc/claude-code
ln -s "$0/managed-mcp.json" "$0/managed-settings.json" /etc/claude-code
exec "$@"
"""


@pytest.mark.root
@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, for mounts")
async def test_managed_servers_behind_the_images_link_are_honoured(
    short_path: Path,
) -> None:
    """E12: they alone, with control's own tools; a change needs a new process."""
    org = short_path / "org"
    org.mkdir()
    managed = org / "managed-mcp.json"
    servers = {"organised": server_words(short_path, "the organisation's")}
    managed.write_text(json.dumps({"mcpServers": servers}))
    (org / "managed-settings.json").write_text('{"env": {"FROM_ORG": "yes-it-is"}}')
    async with heard_side(short_path) as (stack, _heard):
        stack.before = ("unshare", "--mount", "sh", "-ec", MANAGED, str(org))
        stack.start_side(managed_directory="/etc/claude-code")
        await stack.until_connected()

        with pytest.raises(CliFailed, match="exclusive control"):
            await begin(stack, mcp_servers=servers)
        conversation = await begin(stack)
        answer = await conversation.say("tool mcp__organised__hello {}")
        shell = await conversation.say('tool Bash {"command": "echo $FROM_ORG"}')
        async with engine_over(stack) as spoken:
            own_tool = await spoken.say(wish(), SEND)
        present = await call(stack, "sync_skills")
        managed.unlink()
        gone = await call(stack, "skills")
        await conversation.process.aclose()
        await until(lambda: not cli_processes(stack))
        later = await call(stack, "skills")
        other = await begin(stack, mcp_servers=servers)
        own = await other.say("tool mcp__organised__hello {}")
        await other.process.aclose()

    assert "hello from the organisation's" in answer and answer == own
    assert "yes-it-is" in shell
    assert "The message was sent." in (own_tool.result or "")
    assert (present["managed_mcp"], present["restart_needed"]) == ("present", [])
    assert (gone["managed_mcp"], gone["restart_needed"]) == ("absent", ["managed_mcp"])
    assert (later["managed_mcp"], later["restart_needed"]) == ("absent", [])
