# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""The yardstick: the agent SDK as a plain service would use it, without agentd."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import claude_agent_sdk as sdk
from local_stack import sandboxed


@dataclass(frozen=True)
class DirectCli:
    """CLIs with a home of their own that ask an offline model on a port."""

    home: Path
    model_port: int

    def options(self, **values: object) -> sdk.ClaudeAgentOptions:
        """Return options that start a CLI as agentd would start it."""
        self.home.mkdir(parents=True, exist_ok=True)
        environment = {
            **sandboxed(),
            "HOME": str(self.home),
            "CLAUDE_CONFIG_DIR": str(self.home / ".claude"),
            "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
            "ANTHROPIC_BASE_URL": f"http://127.0.0.1:{self.model_port}",
            "ANTHROPIC_API_KEY": "placeholder",
        }
        return sdk.ClaudeAgentOptions(
            cwd=self.home,
            env=environment,
            permission_mode="bypassPermissions",
            include_partial_messages=True,
            setting_sources=["user", "project"],
            **values,  # type: ignore[arg-type]
        )


def check(message: sdk.Message) -> bool:
    """Return whether the turn has ended; raise SystemExit if it failed."""
    if not isinstance(message, sdk.ResultMessage):
        return False
    if message.is_error:
        raise SystemExit(f"Cannot measure: the turn failed: {message.result}")
    return True


def forget_environment() -> None:
    """Take away what an operator's environment would change about a CLI."""
    for variable in list(os.environ):
        if variable.startswith(("ANTHROPIC_", "CLAUDE")):
            del os.environ[variable]
