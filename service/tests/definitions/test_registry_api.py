# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Definitions, skills and settings of webhooks over HTTP."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from control.running_app import Control, Parts, control

AGENTS = "/api/registry/agents"
SKILLS = "/api/registry/skills"
WEBHOOKS = "/api/registry/webhooks"
SKILL = "---\nname: lint\ndescription: Lints.\n---\nLint.\n"
FILES = {"CLAUDE.md": "You review.", "skills/lint/SKILL.md": SKILL}


def parts(directory: Path, **settings: object) -> Parts:
    """Return parts whose definitions lie below a directory."""
    (directory / "definitions").mkdir(exist_ok=True)
    shipped = directory / "built-in" / "shipped"
    shipped.mkdir(parents=True, exist_ok=True)
    (shipped / "CLAUDE.md").write_text("Shipped.")
    return Parts(
        settings={
            "definitions_directory": str(directory / "definitions"),
            "built_in_definitions_directory": str(directory / "built-in"),
            "built_in_skills_directory": str(directory / "no-skills"),
            **settings,
        }
    )


@pytest.fixture
async def running(tmp_path: Path) -> AsyncIterator[Control]:
    """A control with a place for definitions, and one that came with the image."""
    async with control(tmp_path, parts(tmp_path)) as found:
        yield found


@pytest.fixture
def client(running: Control) -> httpx.AsyncClient:
    """Return its client."""
    return running.client


async def upload(
    client: httpx.AsyncClient, name: str = "reviewer", **files: object
) -> httpx.Response:
    return await client.post(
        f"{AGENTS}/upload", json={"name": name, "files": files or FILES}
    )


@pytest.mark.parametrize("path", ["/api/agents/upload", f"{AGENTS}/upload"])
async def test_a_definition_is_uploaded_as_json_and_read_again(
    client: httpx.AsyncClient, path: str, tmp_path: Path
) -> None:
    """P04: at the path of the guide and at the one of the registry."""
    data = bytes(range(256))
    encoded = {"base64": base64.b64encode(data).decode(), "executable": True}
    sent = {"name": "reviewer", "files": {**FILES, "a/b.bin": encoded}}

    made = await client.post(path, json=sent)
    held = (await client.get(f"{AGENTS}/reviewer/content")).json()
    other = await client.get(f"{AGENTS}/reviewer/content", params={"path": "a/b.bin"})
    listed = (await client.get(AGENTS)).json()["agents"]

    assert made.status_code == 201, made.text
    assert (made.json()["tier"], made.json()["files"]) == ("uploaded", 3)
    assert (held["path"], held["content"]) == ("CLAUDE.md", "You review.")
    assert (other.json()["content"], other.json()["executable"]) == (None, True)
    assert base64.b64decode(other.json()["base64"]) == data
    assert [(one["name"], one["tier"]) for one in listed] == [
        ("reviewer", "uploaded"),
        ("shipped", "built-in"),
    ]
    place = tmp_path / "definitions" / "agents" / "reviewer"
    assert (place / "CLAUDE.md").read_text() == "You review."


async def test_a_definition_is_uploaded_as_a_form_with_paths_as_file_names(
    client: httpx.AsyncClient,
) -> None:
    """P04: what curl -F sends."""
    form = [("files", (path, text.encode())) for path, text in FILES.items()]
    form.append(("files", ("run.sh", b"#!/bin/sh\n")))

    made = await client.post(
        "/api/agents/upload", data={"name": "reviewer"}, files=form
    )

    assert made.status_code == 201, made.text
    held = {one["path"]: one["executable"] for one in made.json()["paths"]}
    assert held == {"CLAUDE.md": False, "run.sh": True, "skills/lint/SKILL.md": False}


async def test_one_that_exists_is_not_uploaded_again_but_replaced_or_removed(
    client: httpx.AsyncClient,
) -> None:
    """P04, P06."""
    await upload(client)

    again = await upload(client)
    replaced = await client.put(f"{AGENTS}/reviewer", json={"files": {"CLAUDE.md": ""}})
    changed = await client.put(
        f"{AGENTS}/reviewer/content", params={"path": "b"}, json={"content": "new"}
    )
    removed = await client.delete(f"{AGENTS}/reviewer")
    gone = await client.delete(f"{AGENTS}/reviewer")

    assert again.status_code == 409
    assert (replaced.status_code, replaced.json()["files"]) == (200, 1)
    assert replaced.json()["warnings"] == ["Its CLAUDE.md is empty."]
    assert (changed.status_code, changed.json()["files"]) == (200, 2)
    assert (removed.status_code, gone.status_code) == (204, 404)


async def test_what_came_with_the_image_is_read_and_not_changed(
    client: httpx.AsyncClient,
) -> None:
    """P06."""
    address = f"{AGENTS}/shipped"

    held = await client.get(f"{address}/content")
    refused = [
        await client.delete(address),
        await client.put(address, json={"files": FILES}),
        await client.put(f"{address}/content", json={"content": "x"}),
    ]

    assert (held.json()["tier"], held.json()["content"]) == ("built-in", "Shipped.")
    assert [one.status_code for one in refused] == [403] * 3


async def test_an_uploaded_skill_reaches_the_agents_at_once_or_on_demand(
    running: Control,
) -> None:
    """F15, P04."""
    address, sent = f"{SKILLS}/upload", {"name": "lint", "files": {"SKILL.md": SKILL}}

    made = await running.client.post(address, json=sent)
    synced = [name for _agent, name, _given in running.spawner.calls]
    running.spawner.calls.clear()
    await running.client.delete(f"{SKILLS}/lint", params={"reload": "false"})

    assert made.status_code == 201, made.text
    assert (made.json()["description"], made.json()["warnings"]) == ("Lints.", [])
    assert set(made.json()["reloaded"]) == {"main"}
    assert "sync_skills" in synced
    assert running.spawner.calls == []


async def test_settings_of_webhooks_are_kept_from_other_uids_and_secrets_masked(
    client: httpx.AsyncClient, tmp_path: Path
) -> None:
    address = f"{WEBHOOKS}/github"
    settings: dict[str, Any] = {
        "secret": "a-secret-of-16-or-more",
        "former_secret": "another-secret-of-16",
        "user": "keeper",
    }

    none = await client.get(address)
    first = await client.put(address, json=settings)
    told = first.json()["settings"]
    again = await client.put(address, json={**told, "label": "agents"})
    removed = await client.delete(address)

    assert none.status_code == 404
    masked = dict.fromkeys(("secret", "former_secret"), "********")
    assert told == {**masked, "user": "keeper"}
    assert again.json()["settings"] == {**told, "label": "agents"}
    assert (removed.status_code, (await client.get(address)).status_code) == (204, 404)
    await client.put(address, json=settings)
    directory = tmp_path / "definitions" / "webhooks"
    assert directory.stat().st_mode & 0o777 == 0o700
    assert (directory / "github.json").stat().st_mode & 0o777 == 0o600
    held = json.loads((directory / "github.json").read_text())
    assert held == settings
    assert (await client.get(WEBHOOKS)).json() == {"webhooks": ["github"]}
