# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""The real CLI behind relay and gateway: what it shows of a refusal, and how soon."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from conftest import Stack, free_port
from models import client, control, gateway, kept, model
from starlette.responses import StreamingResponse

from agentd.agent.command import environment, find_cli
from agentd.agent.settings import load_agent_settings
from agentd.offline_model.directives import Reply
from agentd.offline_model.stream import events, message

pytestmark = pytest.mark.live
CLI_SECONDS = 40
# A CLI that is signed in asks for its profile elsewhere: nothing listens there.
OFF_THE_NETWORK = {"HTTPS_PROXY": "http://127.0.0.1:9", "NO_PROXY": "127.0.0.1"}
OAUTH = {
    "accessToken": "sk-ant-oat01-of-main",
    "refreshToken": "sk-ant-ort01-of-main",
    "expiresAt": 4_102_444_800_000,
    "scopes": ["user:inference", "user:profile"],
    "subscriptionType": "max",
}


@asynccontextmanager
async def cli_behind(stack: Stack, **settings: object) -> AsyncIterator[Cli]:
    """Yield a CLI whose way to the model is the stack's relay and gateway."""
    stack.memory().mkdir(parents=True)
    (stack.directory / "main/skill-data").mkdir()
    port = free_port()
    stack.start_side(relay_port=port, home_directory=str(stack.directory), **settings)
    for _unused in range(500):
        try:
            _reader, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.02)
        else:
            writer.close()
            break
    yield Cli(stack)


class Cli:
    """Runs the real CLI as the agent side would."""

    def __init__(self, stack: Stack) -> None:
        self._cwd = stack.memory()
        self._settings = load_agent_settings(stack.directory / "main.json")

    async def ask(self, text: str) -> dict[str, object]:
        """Return the result that the CLI prints."""
        own = environment(self._settings)
        process = await asyncio.create_subprocess_exec(
            *(find_cli(), "-p", text, "--output-format=json", "--model=claude-x"),
            cwd=self._cwd,
            env={**own, **OFF_THE_NETWORK, "TMPDIR": str(self._cwd)},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
        )
        try:
            async with asyncio.timeout(CLI_SECONDS):
                out, _err = await process.communicate()
        except TimeoutError:
            process.kill()
            await process.wait()
            raise
        return dict(json.loads(out))


@pytest.mark.parametrize(
    ("rules", "shown"),
    [
        ({"budget_tokens": 0}, 'API Error: 402 Agent "main" has used up its budget'),
        ({"models": ["claude-y"]}, 'Agent "main" may not use the model "claude-x"'),
    ],
    ids=["budget", "model"],
)
async def test_the_cli_shows_a_refusal_after_one_request(
    short_path: Path, rules: dict[str, object], shown: str
) -> None:
    places = kept(short_path, rules={"main": rules})
    async with (
        gateway(short_path, "offline", **places) as stack,
        cli_behind(stack) as cli,
        control(stack) as asking,
    ):
        result = await cli.ask("Hello")
        status = (await asking.get("/status")).json()["agents"]["main"]

    assert result["is_error"] is True
    assert shown in str(result["result"])
    assert status["usage"]["refused"] == 1


async def test_tokens_of_the_cli_are_counted_with_its_session(short_path: Path) -> None:
    async with (
        gateway(short_path, "offline", **kept(short_path)) as stack,
        cli_behind(stack) as cli,
        control(stack) as asking,
    ):
        result = await cli.ask("use 1000 input tokens, use 30 output tokens")
        found = (await asking.get("/sessions?agent=main")).json()["sessions"]
        refused = await cli.ask("fail with status 401")

    assert result["is_error"] is False
    assert [one["session_id"] for one in found] == [result["session_id"]]
    assert found[0]["usage"]["tokens"] == 1030
    assert "401" in str(refused["result"])
    assert float(str(refused["duration_ms"])) < 20_000, "it is not asked ten times"


async def test_a_cli_that_is_signed_in_itself_goes_with_its_own_token(
    short_path: Path,
) -> None:
    """J14: for an agent with a sign-in of its own, the gateway adds no key."""
    places = kept(short_path, rules={"main": {"sign_in": "direct"}})
    credentials = short_path / "credentials"
    credentials.mkdir()
    signed_in = credentials / ".credentials.json"
    signed_in.write_text(json.dumps({"claudeAiOauth": OAUTH}))
    signed_in.chmod(0o600)
    own = {"sign_in": "direct", "credentials_directory": str(credentials)}
    async with (
        model() as upstream,
        gateway(short_path, upstream.url, **places) as stack,
        cli_behind(stack, **own) as cli,
        client(stack) as other,
    ):
        whole = message("claude-x", Reply(text="Hello"), 10)
        upstream.answer = lambda _: StreamingResponse(
            events(whole), media_type="text/event-stream"
        )
        result = await cli.ask("Hello")
        await other.post("/v1/messages", json={})

    assert result["result"] == "Hello"
    asked = [names for _url, names, _body in upstream.requests]
    assert {one["authorization"] for one in asked} == {"Bearer sk-ant-oat01-of-main"}
    assert not any("x-api-key" in one for one in asked)
