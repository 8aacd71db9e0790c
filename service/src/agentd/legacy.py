# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""Variables and places of earlier systems, and what took their place.

None of them is read: who sets one is told where its meaning went.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

REPLACED = {
    "API_TOKEN": "control's setting api_token_file",
    "ANTHROPIC_API_KEY": "the gateway's setting api_key_file",
    "ANTHROPIC_BASE_URL": "the gateway's setting upstream",
    "BUILT_IN_SKILLS_DIR": "the agent's setting built_in_skills_directory",
    "CLAUDE_CODE_OAUTH_TOKEN": "the agent's setting sign_in with its credentials",
    "CLAUDE_FALLBACK_MODEL": "control's setting agents[].fallback_model",
    "CLAUDE_MODEL": "control's setting agents[].model",
    "LOCAL_DB_PATH": "control's setting database_url",
    "MAX_EXECUTION_MS": "control's setting max_execution_seconds",
    "MEMORY_DIR": "the agent's setting working_directory",
    "ORG_DIR": "the agent's setting org_directory",
    "OUTBOUND_TTL_DAYS": "control's setting outbound_ttl_days",
    "PORT": "control's setting listen_port",
    "SESSION_END_MARKER": "control's setting session_end_marker",
    "SESSIONS_DIR": 'the directory ".claude" in working_directory',
    "SKILLS_DIR": "the agent's setting org_skills_directory",
    "STORE_DIR": "control's setting database_url",
    "SYSTEM_PROMPT_OVERRIDE": "control's setting agents[].system_prompt",
    "USER_SKILLS_DIR": 'the directory "skills" in working_directory',
}
PLACES = {
    "/data/sessions": 'the directory ".claude" in working_directory',
    "/data/store": "the database of control",
}


def variable_warnings(environment: Mapping[str, str]) -> list[str]:
    """Return a warning for each variable of an earlier system; never its value."""
    return [
        f"The environment variable {name} is not read. Use {REPLACED[name]} in its "
        "place, and unset it."
        for name in sorted(REPLACED.keys() & environment.keys())
    ]


def place_warnings(used: Iterable[str] = ()) -> list[str]:
    """Return a warning for each directory of an earlier system that is not used."""
    return [
        f"{place} is there and not used. Move what it holds to {PLACES[place]}, "
        "and remove the mount."
        for place in PLACES
        if Path(place).is_dir() and not any(one.startswith(place) for one in used)
    ]
