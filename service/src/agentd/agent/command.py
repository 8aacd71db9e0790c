# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""The CLI's arguments and environment, built from fixed names and own values."""

from __future__ import annotations

import importlib.util
import json
import os
import re
from pathlib import Path

from agentd.agent.settings import AgentSettings
from agentd.spawner.protocol import CliStart

UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
MODEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:@/\[\]-]{0,127}")
PERMISSION_MODES = frozenset(
    {"default", "acceptEdits", "plan", "bypassPermissions", "dontAsk", "auto"}
)
MAX_THINKING_TOKENS = 1_000_000
MAX_PROMPT_BYTES = 64 * 1024
PLACEHOLDER_KEY = "placeholder-the-gateway-adds-the-key"
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
MARKER = "AGENTD_PROCESS_OF"


class StartRefused(Exception):
    """Control asked for a process that may not or cannot be started."""


def find_cli() -> str:
    """Return the path of the CLI that is bundled with the SDK, not importing it."""
    spec = importlib.util.find_spec("claude_agent_sdk")
    if spec is None or spec.origin is None:
        raise StartRefused(
            "the package claude-agent-sdk is not installed here. Build the image again."
        )
    return str(Path(spec.origin).parent / "_bundled" / "claude")


def parse_start(value: object) -> CliStart:
    """Return control's wish as a checked value; raise StartRefused naming the field."""
    if not isinstance(value, dict):
        raise StartRefused("the start is not an object.")
    try:
        start = CliStart(**value)
    except TypeError as error:
        raise StartRefused(f"the start has other fields: {error}.") from error
    for name, good in _checks(start).items():
        if not good:
            raise StartRefused(f"{name} is not acceptable.")
    return start


def _checks(start: CliStart) -> dict[str, bool]:
    return {
        "session_id": isinstance(start.session_id, str)
        and UUID.fullmatch(start.session_id) is not None,
        "resume": isinstance(start.resume, bool),
        "model": _is_model(start.model),
        "fallback_model": _is_model(start.fallback_model),
        "permission_mode": isinstance(start.permission_mode, str)
        and start.permission_mode in PERMISSION_MODES,
        "thinking_tokens": start.thinking_tokens is None
        or (
            isinstance(start.thinking_tokens, int)
            and not isinstance(start.thinking_tokens, bool)
            and 0 <= start.thinking_tokens <= MAX_THINKING_TOKENS
        ),
        "system_prompt": start.system_prompt is None
        or (
            isinstance(start.system_prompt, str)
            and "\0" not in start.system_prompt
            and len(start.system_prompt.encode("utf-8", "surrogatepass"))
            <= MAX_PROMPT_BYTES
        ),
    }


def _is_model(value: object) -> bool:
    return value is None or (
        isinstance(value, str) and MODEL.fullmatch(value) is not None
    )


def arguments(cli: str, start: CliStart, cleanup_period_days: int) -> list[str]:
    """Return the CLI's arguments; each value is bound to its flag by an equals sign."""
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
    return result


def environment(settings: AgentSettings) -> dict[str, str]:
    """Return the CLI's whole environment; nothing is inherited but TMPDIR."""
    return {
        "PATH": PATH,
        "HOME": settings.working_directory,
        "TMPDIR": os.environ.get("TMPDIR", "/tmp"),
        "LANG": "C.UTF-8",
        "SHELL": "/bin/bash",
        "SKILL_DATA_DIR": settings.skill_data_directory,
        **settings.environment,
        "CLAUDE_CONFIG_DIR": settings.config_directory,
        "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
        "CLAUDE_CODE_ENTRYPOINT": "sdk-py",
        "ANTHROPIC_BASE_URL": f"http://127.0.0.1:{settings.relay_port}",
        "ANTHROPIC_API_KEY": PLACEHOLDER_KEY,
        MARKER: marker(settings),
    }


def marker(settings: AgentSettings) -> str:
    """Return what marks each process of this agent in its environment."""
    return f"{settings.deployment}:{settings.agent}:{settings.control_socket}"
