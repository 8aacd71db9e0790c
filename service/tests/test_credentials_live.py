# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""What the real CLI makes of a sign-in that control gave its agent's side."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from heard import heard_side
from models import control, gateway, model
from starlette.responses import StreamingResponse
from test_gateway_cli import cli_behind
from test_gateway_credentials import places, put
from test_live_boot import begin, call

from agentd.gateway.headers import OAUTH_BETA
from agentd.offline_model.directives import Reply
from agentd.offline_model.stream import events, message

pytestmark = pytest.mark.live


async def test_the_cli_goes_with_the_sign_in_that_was_put_and_its_shell_has_none(
    short_path: Path,
) -> None:
    """P10, J14: a token alone, then the file of another sign-in, in a running CLI."""
    ends = int(time.time() + 7200) * 1000
    file = {
        "accessToken": "sk-ant-oat01-of-the-file",
        "refreshToken": "sk-ant-ort01-x",
        "expiresAt": ends,
        "scopes": ["user:inference"],
    }
    async with heard_side(short_path) as (stack, heard):
        (short_path / "main/credentials").mkdir()
        stack.start_side(sign_in="direct")
        await stack.until_connected()
        token = {"oauth_token": "sk-ant-oat01-alone"}
        put = await call(stack, "put_credentials", credentials=token)

        first = await begin(stack)
        shell = await first.say('tool Bash {"command": "env; cat /proc/$PPID/environ"}')
        alone = heard.headers[-1]
        await call(stack, "put_credentials", credentials=file)
        await first.say("Hello")
        running = heard.headers[-1]
        await first.process.aclose()
        second = await begin(stack)
        await second.say("Hello")
        anew = heard.headers[-1]
        await second.process.aclose()
        known = await call(stack, "credentials_status")

    assert put == {"status": "valid", "expires_at": None}
    assert alone["authorization"] == "Bearer sk-ant-oat01-alone"
    assert running["authorization"] == "Bearer sk-ant-oat01-of-the-file"
    assert anew["authorization"] == "Bearer sk-ant-oat01-of-the-file"
    assert OAUTH_BETA.decode() in anew["anthropic-beta"], "what the gateway adds"
    assert not {"x-api-key"} & (alone.keys() | anew.keys())
    assert known == {"status": "valid", "expires_at": ends / 1000}
    assert "SKILL_DATA_DIR" in shell
    assert "sk-ant" not in shell
    assert "ANTHROPIC_API_KEY" not in shell


async def test_a_cli_behind_the_gateway_goes_with_the_sign_in_that_was_uploaded(
    short_path: Path,
) -> None:
    """P10, J14: the CLI knows nothing of it, and its own betas stay beside ours."""
    settings = places(short_path, api_key_file=None)
    async with (
        model() as upstream,
        gateway(short_path, upstream.url, **settings) as stack,
        cli_behind(stack) as cli,
        control(stack) as asking,
    ):
        whole = message("claude-x", Reply(text="Hello"), 10)
        upstream.answer = lambda _: StreamingResponse(
            events(whole), media_type="text/event-stream"
        )
        without = await cli.ask("Hello")
        await put(asking, {"oauth_token": "sk-ant-oat01-uploaded"})
        result = await cli.ask("Hello")
        asked = [names for _url, names, _body in upstream.requests]

    assert "has no key and no sign-in yet" in str(without["result"])
    assert result["result"] == "Hello"
    assert {one["authorization"] for one in asked} == {"Bearer sk-ant-oat01-uploaded"}
    assert not any("x-api-key" in one for one in asked)
    betas = asked[-1]["anthropic-beta"].split(",")
    assert OAUTH_BETA.decode() in betas
    assert len(betas) > 1
