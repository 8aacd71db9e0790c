# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""The CLI's arguments and environment, built from fixed names and own values."""

from __future__ import annotations

import importlib.util
import json
import os
from pathlib import Path

from agentd.agent.settings import AgentSettings
from agentd.agent.start import StartRefused
from agentd.spawner.mcp_servers import OWN_SERVER
from agentd.spawner.protocol import CliStart

PLACEHOLDER_KEY = "placeholder-the-gateway-adds-the-key"
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
MARKER = "AGENTD_PROCESS_OF"


def find_cli() -> str:
    """Return the path of the CLI that is bundled with the SDK, not importing it."""
    spec = importlib.util.find_spec("claude_agent_sdk")
    if spec is None or spec.origin is None:
        raise StartRefused(
            "the package claude-agent-sdk is not installed here. Build the image again."
        )
    return str(Path(spec.origin).parent / "_bundled" / "claude")


def arguments(
    cli: str, start: CliStart, cleanup_period_days: int, persona: str | None = None
) -> list[str]:
    """Return the CLI's arguments; each value is bound to its flag by an equals sign.

    The organisation's persona is added to the system prompt, unless that is replaced.
    """
    settings = json.dumps({"cleanupPeriodDays": cleanup_period_days})
    identity = "--resume" if start.resume else "--session-id"
    result = [
        cli,
        "--output-format=stream-json",
        "--input-format=stream-json",
        "--verbose",
        "--include-partial-messages",
        f"--permission-mode={start.permission_mode}",
        f"{identity}={start.session_id}",
        f"--settings={settings}",
        "--setting-sources=user,project",
    ]
    if start.model:
        result.append(f"--model={start.model}")
    if start.fallback_model:
        result.append(f"--fallback-model={start.fallback_model}")
    if start.thinking_tokens == 0:
        result.append("--thinking=disabled")
    elif start.thinking_tokens:
        result.append(f"--max-thinking-tokens={start.thinking_tokens}")
    if start.system_prompt:
        result.append(f"--system-prompt={start.system_prompt}")
    elif persona:
        result.append(f"--append-system-prompt={persona}")
    if servers := _mcp_servers(start):
        result.append(f"--mcp-config={json.dumps({'mcpServers': servers})}")
    if start.tools:
        # What control offers has its own limits; nobody is there to be asked.
        result.append(f"--allowed-tools=mcp__{OWN_SERVER}")
    if start.mirror:
        result.append("--session-mirror")
    if start.resume and start.resume_at:
        result.append(f"--resume-session-at={start.resume_at}")
    return result


def _mcp_servers(start: CliStart) -> dict[str, object]:
    own = {OWN_SERVER: {"type": "sdk", "name": OWN_SERVER}} if start.tools else {}
    return {**(start.mcp_servers or {}), **own}


def environment(settings: AgentSettings) -> dict[str, str]:
    """Return the CLI's whole environment; nothing is inherited but TMPDIR.

    A key would win over the CLI's own sign-in, so that this is given none.
    """
    if settings.sign_in == "direct":
        sign_in = {"CLAUDE_SECURESTORAGE_CONFIG_DIR": settings.credentials_directory}
    else:
        sign_in = {"ANTHROPIC_API_KEY": PLACEHOLDER_KEY}
    return {
        "PATH": PATH,
        "HOME": settings.home_directory,
        "TMPDIR": os.environ.get("TMPDIR", "/tmp"),
        "LANG": "C.UTF-8",
        "SHELL": "/bin/bash",
        "SKILL_DATA_DIR": settings.skill_data_directory,
        **settings.environment,
        **git_environment(settings),
        "CLAUDE_CONFIG_DIR": settings.config_directory,
        "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
        "CLAUDE_CODE_ENTRYPOINT": "sdk-py",
        "ANTHROPIC_BASE_URL": f"http://127.0.0.1:{settings.relay_port}",
        **sign_in,
        MARKER: marker(settings),
    }


def git_environment(settings: AgentSettings) -> dict[str, str]:
    """Return who git says it is, and how it reaches the forges: never by a question."""
    name = settings.git_name or settings.agent
    email = settings.git_email or f"{settings.agent}@agents.invalid"
    options = {
        "credential.helper": "",
        # What the deployment sets as proxy is no way to loopback.
        f"http.http://127.0.0.1:{settings.relay_port}/.proxy": "",
    }
    numbered = {
        f"GIT_CONFIG_{word}_{number}": text
        for number, (key, value) in enumerate(options.items())
        for word, text in (("KEY", key), ("VALUE", value))
    }
    return {
        "GIT_AUTHOR_NAME": name,
        "GIT_AUTHOR_EMAIL": email,
        "GIT_COMMITTER_NAME": name,
        "GIT_COMMITTER_EMAIL": email,
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_CONFIG_COUNT": str(len(options)),
        **numbered,
    }


def own_git_environment(settings: AgentSettings) -> dict[str, str]:
    """Return the whole environment of the git commands that the agent side runs."""
    return {
        "PATH": PATH,
        "HOME": settings.home_directory,
        "TMPDIR": os.environ.get("TMPDIR", "/tmp"),
        **git_environment(settings),
        MARKER: marker(settings),
    }


def marker(settings: AgentSettings) -> str:
    """Return what marks each process of this agent in its environment."""
    return f"{settings.deployment}:{settings.agent}:{settings.control_socket}"
