# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""A change that is stored is answered as one, whatever cannot be done after it."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from control.running_app import control

from .test_registry_api import AGENTS, SKILL, SKILLS, parts, upload


async def test_an_upload_is_answered_as_stored_though_the_database_is_away(
    tmp_path: Path,
) -> None:
    """P04: asked again, it would be refused as existing."""
    async with control(tmp_path, parts(tmp_path)) as running:
        await running.say()
        with sqlite3.connect(tmp_path / "agentd.db") as connection:
            connection.execute("ALTER TABLE conversations RENAME TO hidden")
        first = await upload(running.client)
        second = await running.client.post(
            f"{SKILLS}/upload", json={"name": "lint", "files": {"SKILL.md": SKILL}}
        )
        removed = await running.client.delete(f"{AGENTS}/reviewer")
        reloaded = await running.client.post("/admin/reload-skills")
        with sqlite3.connect(tmp_path / "agentd.db") as connection:
            connection.execute("ALTER TABLE hidden RENAME TO conversations")

    statuses = [one.status_code for one in (first, second, removed)]
    assert statuses == [201, 201, 204], (first.text, second.text)
    for one in (first, second):
        assert "It is stored, and idle clients" in one.json()["warnings"][0]
    assert reloaded.status_code == 503, "what was asked for could not be done"


@pytest.mark.parametrize("kind", [AGENTS, SKILLS])
async def test_an_agent_that_is_away_hinders_no_upload(
    tmp_path: Path, kind: str
) -> None:
    """It has the change at its next start."""
    used = parts(tmp_path)
    used.spawner.connected["main"] = False
    main = "CLAUDE.md" if kind == AGENTS else "SKILL.md"
    async with control(tmp_path, used) as running:
        made = await running.client.post(
            f"{kind}/upload", json={"name": "x", "files": {main: SKILL}}
        )

    assert made.status_code == 201, made.text
    if kind == SKILLS:
        assert made.json()["reloaded"]["main"]
