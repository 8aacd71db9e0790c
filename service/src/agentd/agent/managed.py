# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""The MCP servers that the organisation manages, and what its changes need."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from agentd.agent.hostile_files import FileUnusable, read_small
from agentd.agent.persona import NAME as PERSONA
from agentd.agent.settings import AgentSettings

NAME = "managed-mcp.json"
MAX_BYTES = 1024 * 1024
EXCLUSIVE = (
    "The organisation's managed-mcp.json has exclusive control over MCP servers: "
    "the CLI takes none from a request. Leave out mcp_servers, or have the server "
    "added there."
)

Given = Mapping[str, str | None]


def managed_present(settings: AgentSettings) -> bool:
    """Return whether the CLI finds MCP servers that the organisation manages."""
    return os.path.exists(Path(settings.managed_directory) / NAME)


def given_now(settings: AgentSettings) -> Given:
    """Return marks of what a CLI reads once, at its start."""
    return {
        "managed_mcp": _mark(Path(settings.managed_directory) / NAME),
        "persona": _mark(Path(settings.org_directory) / PERSONA),
    }


def managed_state(
    settings: AgentSettings, given: Iterable[Given] = ()
) -> dict[str, object]:
    """Return whether there is a managed file, and what running CLIs have in old form.

    A new process of the CLI takes the new form, so that a restart of the agent, or
    the end of its live clients, is all that a change needs.
    """
    now = given_now(settings)
    changed = {
        name for mark in given for name in now if mark.get(name, now[name]) != now[name]
    }
    return {
        "managed_mcp": "present" if managed_present(settings) else "absent",
        "restart_needed": sorted(changed),
    }


def managed_warnings(settings: AgentSettings) -> list[str]:
    """Return what is wrong with the organisation's managed file; the boot's step."""
    own, read = Path(settings.org_directory) / NAME, Path(settings.managed_directory)
    warnings = []
    if os.path.exists(own) and not _is_same(own, read / NAME):
        warnings.append(
            f"{own} is not what the CLI reads at {read / NAME}. Use an image in which "
            "the one leads to the other, or mount the file there."
        )
    if managed_present(settings):
        warnings += _faults(Path(os.path.realpath(read / NAME)))
    return warnings


def _faults(path: Path) -> list[str]:
    try:
        value = json.loads(read_small(path, MAX_BYTES) or b"")
    except FileUnusable as error:
        return [f"{error}. The CLI has no MCP servers until that is corrected."]
    except (ValueError, RecursionError) as error:
        reason = str(error)[:100]
    else:
        if isinstance(value, dict) and isinstance(value.get("mcpServers"), dict):
            return []
        reason = 'it has no object "mcpServers"'
    return [
        f"{path} is not a configuration of MCP servers: {reason}. "
        "The CLI has none until that is corrected."
    ]


def _is_same(one: Path, other: Path) -> bool:
    try:
        return os.path.samefile(one, other)
    except OSError:
        return False


def _mark(path: Path) -> str | None:
    """Return a mark of the content behind the path; links are the operator's."""
    try:
        content = read_small(Path(os.path.realpath(path)), MAX_BYTES)
    except FileUnusable as error:
        return f"unusable: {error}"
    return None if content is None else hashlib.sha256(content).hexdigest()
