# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""An agent's configuration with old and new files in it."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from agentd.agent.prune_calls import prune_calls
from agentd.agent.settings import AgentSettings, parse_agent_settings

DAY = 86_400.0


def session(number: int) -> str:
    """Return the id of the session of that number."""
    return str(uuid.UUID(int=number))


def settings_of(memory: Path) -> AgentSettings:
    """Return the settings of an agent that works there."""
    return parse_agent_settings(
        {
            "component": "agent",
            "deployment": "test",
            "agent": "main",
            "working_directory": str(memory),
        }
    )


class OldFiles:
    """An agent's directories, and the calls that prune them."""

    def __init__(self, memory: Path) -> None:
        self.config = memory / ".claude"
        self.running: set[str] = set()
        self._calls = prune_calls(settings_of(memory), self._is_running)

    def _is_running(self, session_id: str) -> bool:
        return session_id in self.running

    async def call(self, name: str, **given: object) -> dict[str, object]:
        """Call as control does."""
        return dict(await self._calls[name](given))

    async def listed(self, days: float = 30, **more: object) -> list[dict[str, object]]:
        """Return the old sessions of one page."""
        answer = await self.call(
            "list_old_transcripts", older_than_seconds=days * DAY, **more
        )
        sessions = answer["sessions"]
        assert isinstance(sessions, list)
        return sessions

    async def remove(
        self, listed: list[dict[str, object]], **more: object
    ) -> dict[str, object]:
        """Have listed sessions removed."""
        return await self.call("remove_transcripts", sessions=listed, **more)

    def put(self, path: str, days: float, content: bytes = b"{}\n") -> Path:
        """Write a file below the configuration, as old as that."""
        file = self.config / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
        return age(file, days)

    def put_session(self, number: int, days: float, project: str = "p") -> Path:
        """Write a session with a sub-agent; return its own file."""
        name = f"projects/{project}/{session(number)}"
        self.put(f"{name}/subagents/agent-1.jsonl", days)
        for directory in (f"{name}/subagents", name):
            age(self.config / directory, days)
        return self.put(f"{name}.jsonl", days)


def age(path: Path, days: float) -> Path:
    """Let a file be written so many days ago."""
    then = time.time() - days * DAY
    os.utime(path, (then, then))
    return path


@contextmanager
def held_open(path: Path) -> Iterator[None]:
    """Let another process hold a file open."""
    code = "import sys; f = open(sys.argv[1]); print(1, flush=True); sys.stdin.read()"
    holder = subprocess.Popen(
        [sys.executable, "-c", code, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    with holder:
        assert holder.stdout is not None
        holder.stdout.read(1)
        yield
        holder.communicate()
