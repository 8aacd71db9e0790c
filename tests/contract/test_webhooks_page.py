# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""The page about webhooks, held against the settings that control takes."""

from __future__ import annotations

import json
import re
from typing import get_args

import pytest
from working_tree import ROOT

from agentd.settings_types import Frozen
from agentd.webhook_settings import (
    DEFAULT_EVENTS,
    EventName,
    WebhookRule,
    WebhookSettings,
    webhook_settings,
)
from agentd.webhooks.payload import MAX_TEXT
from agentd.webhooks.storing import IGNORED_DAYS, KEPT_DAYS
from agentd.webhooks.words import NAMES

PAGE = (ROOT / "docs" / "webhooks.md").read_text(encoding="utf-8")
SETTINGS = PAGE.partition("## Settings")[2].partition("A rule:")[0]
RULE = PAGE.partition("A rule:")[2].partition("## Events")[0]


def keys(table: str) -> set[str]:
    """Return the keys that a table describes."""
    rows = re.findall(r"^\| (`.*?) \|", table, re.MULTILINE)
    return {name for row in rows for name in re.findall(r"`(\w+)`", row)}


@pytest.mark.parametrize(
    ("table", "kind"), [(SETTINGS, WebhookSettings), (RULE, WebhookRule)]
)
def test_the_page_has_every_key_and_no_other(table: str, kind: type[Frozen]) -> None:
    assert keys(table) == set(kind.model_fields)


def test_the_defaults_on_the_page_are_those_of_control() -> None:
    usual = WebhookSettings(secret="x" * 16, user="keeper")
    shown = {
        "label": f"`{usual.label}`",
        "branch": f"`{usual.branch}`",
        "priority": f"`{usual.priority}`",
        "repositories": f"`{json.dumps(usual.repositories)}`",
    }
    for key, value in shown.items():
        assert f"| `{key}` | {value} |" in SETTINGS, key
    assert {*get_args(EventName)} - {*DEFAULT_EVENTS} == {
        "issues.edited",
        "pull_request.edited",
    }


def test_the_page_has_every_event_and_every_name_of_a_prompt() -> None:
    for name in get_args(EventName):
        group, _dot, action = name.partition(".")
        found = [
            line
            for line in PAGE.splitlines()
            if line.startswith(f"| `{group}.") and f".{action}`" in line
        ]
        assert found, name
    assert all(f"`{{{name}}}`" in PAGE for name in NAMES)
    for figure in (f"{MAX_TEXT:,} characters", f"{KEPT_DAYS} days"):
        assert figure in PAGE
    assert f"{IGNORED_DAYS} days" in PAGE


def test_the_examples_on_the_page_are_settings_that_are_taken() -> None:
    shown = re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)
    for text in shown:
        given = json.loads(text.replace("…", "a-secret-of-16-or-more"))
        assert webhook_settings("forgejo", given).rules

    assert shown
