# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""Control's wish for one CLI process, taken only when every field is acceptable."""

from __future__ import annotations

import re

from agentd.definitions.names import is_name
from agentd.spawner import mcp_servers
from agentd.spawner.protocol import CliStart
from agentd.workdirs.names import REPOSITORY, is_branch, is_holder

UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
MODEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:@/\[\]-]{0,127}")
PERMISSION_MODES = frozenset(
    {"default", "acceptEdits", "plan", "bypassPermissions", "dontAsk", "auto"}
)
MAX_THINKING_TOKENS = 1_000_000
MAX_PROMPT_BYTES = 64 * 1024


class StartRefused(Exception):
    """Control asked for a process that may not or cannot be started."""


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
    if start.mcp_servers is not None and (
        fault := mcp_servers.fault_of(start.mcp_servers)
    ):
        raise StartRefused(fault)
    return start


def is_uuid(value: object) -> bool:
    """Return whether the value is the text of a UUID, in lower case."""
    return isinstance(value, str) and UUID.fullmatch(value) is not None


def _checks(start: CliStart) -> dict[str, bool]:
    return {
        "session_id": is_uuid(start.session_id),
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
        "system_prompt": start.system_prompt is None or _is_prompt(start.system_prompt),
        "tools": isinstance(start.tools, bool),
        "mirror": isinstance(start.mirror, bool),
        "resume_at": start.resume_at is None or is_uuid(start.resume_at),
        "definition": start.definition is None or is_name(start.definition),
        "definition_found": isinstance(start.definition_found, bool),
        "repository": start.repository is None or _is_repository(start.repository),
        "branch": start.branch is None
        or (is_branch(start.branch) and start.repository is not None),
        "holder": start.holder is None or is_holder(start.holder),
        "definition beside a branch": start.branch is None or start.definition is None,
    }


def _is_model(value: object) -> bool:
    return value is None or (
        isinstance(value, str) and MODEL.fullmatch(value) is not None
    )


def _is_repository(value: object) -> bool:
    found = REPOSITORY.fullmatch(value) if isinstance(value, str) else None
    return found is not None and found["forge"] is not None


def _is_prompt(value: object) -> bool:
    return (
        isinstance(value, str)
        and "\0" not in value
        and len(value.encode("utf-8", "surrogatepass")) <= MAX_PROMPT_BYTES
    )
