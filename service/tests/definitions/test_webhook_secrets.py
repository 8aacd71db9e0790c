# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Settings of webhooks: wherever a secret stands in them, it is not told again."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from agentd.definitions.places import definition_tiers, skill_tiers
from agentd.definitions.registry import Registry
from agentd.definitions.store import Store
from agentd.definitions.values import AGENTS, SKILLS, UploadLimits
from agentd.definitions.webhooks import MASK, Webhooks
from agentd.errors import DefinitionsFailed, UploadRefused
from agentd.settings import AgentEntry, ControlSettings

HUSH = "hush-hush"
FORMS: list[dict[str, object]] = [
    {"secret": {"value": HUSH}},
    {"tokens": [{"of": "ci", "is": HUSH}]},
    {"headers": {"Authorization": f"Bearer {HUSH}"}},
    {"private_key": HUSH},
    {"x-api-key": HUSH},
    {"url": f"https://robot:{HUSH}@forge.example/hook"},
]


@pytest.mark.parametrize("settings", FORMS)
def test_a_secret_is_masked_wherever_it_stands(
    tmp_path: Path, settings: dict[str, object]
) -> None:
    webhooks = Webhooks(tmp_path / "webhooks")

    told = webhooks.put("github", settings)

    assert HUSH not in json.dumps([told, webhooks.get("github")])
    assert json.loads((tmp_path / "webhooks/github.json").read_text()) == settings


def test_a_number_that_is_a_secret_is_masked_and_what_is_none_is_told(
    tmp_path: Path,
) -> None:
    webhooks = Webhooks(tmp_path / "webhooks")
    plain = {"events": ["issues"], "port": 8080, "secret_file": "/run/s", "on": True}

    told = webhooks.put("github", {"secret": 12345678, **plain})

    assert told == {"secret": MASK, **plain}


@pytest.mark.parametrize("settings", [one for one in FORMS if "tokens" not in one])
def test_masks_that_are_sent_back_keep_the_secrets(
    tmp_path: Path, settings: dict[str, object]
) -> None:
    webhooks = Webhooks(tmp_path / "webhooks")
    webhooks.put("github", settings)

    webhooks.put("github", {**webhooks.get("github"), "events": ["push"]})

    held = json.loads((tmp_path / "webhooks/github.json").read_text())
    assert held == {**settings, "events": ["push"]}


def test_the_mask_of_a_secret_that_is_not_there_is_refused(tmp_path: Path) -> None:
    webhooks = Webhooks(tmp_path / "webhooks")

    with pytest.raises(UploadRefused, match="none is there"):
        webhooks.put("github", {"secret": {"value": MASK}})


def test_what_a_kill_left_half_is_removed_at_the_next_start(tmp_path: Path) -> None:
    """P04: it holds a secret, and nobody else would find it."""
    directory = tmp_path / "webhooks"
    webhooks = Webhooks(directory)
    webhooks.put("github", {"secret": HUSH})
    (directory / f".github.{'0' * 16}").write_text(HUSH)
    (directory / ".definition-jira.json.new").write_text("of a play")

    _registry(tmp_path, webhooks).settle()

    assert sorted(os.listdir(directory)) == [
        ".definition-jira.json.new",
        "github.json",
    ]


def test_a_registry_without_webhooks_is_settled_too(tmp_path: Path) -> None:
    _registry(tmp_path, Webhooks(tmp_path / "webhooks")).settle()

    assert not (tmp_path / "webhooks").exists()


def test_settings_that_cannot_be_looked_for_are_not_listed_as_absent(
    tmp_path: Path,
) -> None:
    """P08: nobody can know what a file in the directory's place holds."""
    (tmp_path / "webhooks").write_text("in the way")

    with pytest.raises(DefinitionsFailed, match="Not a directory"):
        Webhooks(tmp_path / "webhooks").list()


def _registry(directory: Path, webhooks: Webhooks) -> Registry:
    settings = ControlSettings(
        component="control",
        deployment="demo",
        listen_host="127.0.0.1",
        agents=[AgentEntry(name="main")],
        max_execution_seconds=60,
        database_url=f"sqlite+aiosqlite:///{directory}/agentd.db",
        definitions_directory=str(directory),
    )
    limits = UploadLimits(1024, 10)
    return Registry(
        agents=Store(AGENTS, definition_tiers(settings), limits),
        skills=Store(SKILLS, skill_tiers(settings), limits),
        webhooks=webhooks,
    )
