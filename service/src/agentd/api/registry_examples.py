# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Examples of definitions, skills and settings of webhooks, for the document."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]

NAME = "reviewer"
SKILL = "lint"
PERSONA = "# Reviewer\n\nYou review what is sent to you, in short sentences.\n"
LINT = "---\nname: lint\ndescription: Lints Python.\n---\nRun ruff.\n"
CHANGED_AT = "2026-03-02T09:30:00.000Z"
AGENTS = "/api/registry/agents"
SKILLS = "/api/registry/skills"
WEBHOOKS = "/api/registry/webhooks"

DEFINITION: Json = {
    "name": NAME,
    "tier": "uploaded",
    "description": None,
    "files": 2,
    "bytes": len(PERSONA) + len(LINT),
    "updated_at": CHANGED_AT,
    "hides_built_in": False,
    "problem": None,
}
DEFINITION_DETAIL: Json = {
    **DEFINITION,
    "paths": [
        {"path": "CLAUDE.md", "bytes": len(PERSONA), "executable": False},
        {"path": "skills/lint/SKILL.md", "bytes": len(LINT), "executable": False},
    ],
}
SKILL_ENTRY: Json = {
    "name": SKILL,
    "tier": "uploaded",
    "description": "Lints Python.",
    "files": 1,
    "bytes": len(LINT),
    "updated_at": CHANGED_AT,
    "hides_built_in": False,
    "problem": None,
}
SKILL_DETAIL: Json = {
    **SKILL_ENTRY,
    "paths": [{"path": "SKILL.md", "bytes": len(LINT), "executable": False}],
}
DEFINITION_CHANGED: Json = {**DEFINITION_DETAIL, "warnings": [], "reloaded": {}}
SKILL_CHANGED: Json = {**SKILL_DETAIL, "warnings": [], "reloaded": {"main": None}}
HELD: Json = {
    "name": NAME,
    "tier": "uploaded",
    "path": "CLAUDE.md",
    "content": PERSONA,
    "base64": None,
    "executable": False,
}
WEBHOOK: Json = {
    "name": "github",
    "settings": {"secret": "********", "user": "keeper", "repositories": ["team/*"]},
}

FILES: Json = {"CLAUDE.md": PERSONA, "skills/lint/SKILL.md": LINT}
REQUESTS: dict[str, Json] = {
    "post /api/agents/upload": {"name": "another-reviewer", "files": FILES},
    f"post {AGENTS}/upload": {"name": NAME, "files": FILES},
    f"put {AGENTS}/{{name}}": {"files": FILES},
    f"put {AGENTS}/{{name}}/content": {"content": PERSONA},
    f"post {SKILLS}/upload": {"name": SKILL, "files": {"SKILL.md": LINT}},
    f"put {SKILLS}/{{name}}": {"files": {"SKILL.md": LINT}},
    f"put {SKILLS}/{{name}}/content": {"content": LINT},
    f"put {WEBHOOKS}/{{name}}": {"secret": "a-secret-of-16-or-more", "user": "keeper"},
}
ANSWERS: dict[str, Json] = {
    "post /api/agents/upload": {**DEFINITION_CHANGED, "name": "another-reviewer"},
    f"post {AGENTS}/upload": DEFINITION_CHANGED,
    f"get {AGENTS}": {"agents": [DEFINITION]},
    f"get {AGENTS}/{{name}}": DEFINITION_DETAIL,
    f"put {AGENTS}/{{name}}": DEFINITION_CHANGED,
    f"get {AGENTS}/{{name}}/content": HELD,
    f"put {AGENTS}/{{name}}/content": DEFINITION_CHANGED,
    f"post {SKILLS}/upload": SKILL_CHANGED,
    f"get {SKILLS}": {"skills": [SKILL_ENTRY]},
    f"get {SKILLS}/{{name}}": SKILL_DETAIL,
    f"put {SKILLS}/{{name}}": SKILL_CHANGED,
    f"get {SKILLS}/{{name}}/content": {
        **HELD,
        "name": SKILL,
        "path": "SKILL.md",
        "content": LINT,
    },
    f"put {SKILLS}/{{name}}/content": SKILL_CHANGED,
    f"get {WEBHOOKS}": {"webhooks": ["github"]},
    f"get {WEBHOOKS}/{{name}}": WEBHOOK,
    f"put {WEBHOOKS}/{{name}}": {
        **WEBHOOK,
        "settings": {"secret": "********", "user": "keeper"},
    },
}


def name_in(path: str) -> str:
    """Return the name that a path of the registry is shown with."""
    if path.startswith(WEBHOOKS):
        return "github"
    return SKILL if path.startswith(SKILLS) else NAME
