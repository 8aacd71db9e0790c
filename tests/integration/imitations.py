# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Containers that write where the systems of the profiles write, and rest then."""

from __future__ import annotations

import subprocess
from typing import Any

import yaml
from modules import IMAGE
from working_tree import ROOT

IMITATION = "agentkeep/test-imitation:1"
# The images of these systems have the user 1000 under a name, and run as it.
DOCKERFILE = f"""
FROM {IMAGE}
RUN useradd --uid 1000 --create-home node && mkdir /app && chown node /app
LABEL agentkeep.test=imitation
USER node
WORKDIR /app
"""

# What PicoClaw's entrypoint and its conversations leave behind.
PICOCLAW = """
set -eu
rm -rf /home/node/.claude && ln -sfn "$MEMORY_DIR/.claude" /home/node/.claude
settings="$MEMORY_DIR/.claude/settings.json"
test -e "$settings" || echo '{}' >"$settings"
echo '{}' >/etc/claude-code/managed-mcp.json
mkdir -p "$MEMORY_DIR/.claude/projects/-data-memory" "$MEMORY_DIR/skills/learned"
echo turn >>/home/node/.claude/projects/-data-memory/session.jsonl
echo archive >"$MEMORY_DIR/conversations/one.md"
echo rows >>"$LOCAL_DB_PATH" && cat "$LOCAL_DB_PATH" >>"$STORE_DIR/messages.db"
touch /tmp/wrote
exec sleep infinity
"""
# What the API and the workers of the Claude Code Agent System leave behind.
CLAUDE_CODE_AGENT = """
set -eu
: "${REDIS_URL:?}"
echo rows >>"$DATA_DIR/db/machine.db"
(umask 077 && echo '{}' >"$DATA_DIR/credentials/claude.json")
mkdir -p "$DATA_DIR/config/agents/mine" "$CLAUDE_CONFIG_DIR/projects/-app"
echo words >"$DATA_DIR/config/agents/mine/CLAUDE.md"
echo '{}' >"$DATA_DIR/registry/agents.json"
echo turn >>"$CLAUDE_CONFIG_DIR/projects/-app/session.jsonl"
touch /tmp/wrote
exec sleep infinity
"""
REDIS = """
set -eu
: "${REDIS_PASSWORD:?}"
echo task >>/data/appendonly.aof
touch /tmp/wrote
exec sleep infinity
"""


def build() -> None:
    """Build the image of the imitations."""
    subprocess.run(
        ["docker", "build", "--quiet", "--tag", IMITATION, "-"],
        input=DOCKERFILE,
        text=True,
        check=True,
        capture_output=True,
    )


def profile(name: str) -> dict[str, Any]:
    """Return a profile as it ships."""
    text = (ROOT / "profiles" / f"{name}.yml").read_text(encoding="utf-8")
    return dict(yaml.safe_load(text))


def service(found: dict[str, Any], component: str, script: str) -> dict[str, Any]:
    """Return a component as the profile has it, with a script for a program."""
    return {
        **found["components"][component],
        "image": IMITATION,
        "entrypoint": ["/usr/bin/tini", "--"],
        "command": ["sh", "-c", script],
        "health": {"shell": "test -e /tmp/wrote", "interval_seconds": 1},
        "stop_grace_seconds": 5,
    }
