# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""E12: the MCP servers that the organisation manages."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from boots import AGENT_UID, boot_process, booted, reachable, settings_in

from agentd.agent.managed import (
    given_now,
    managed_present,
    managed_state,
    managed_warnings,
)
from agentd.agent.settings import AgentSettings

GOOD = json.dumps({"mcpServers": {"one": {"command": "/bin/one"}}})


@pytest.fixture
def settings(tmp_path: Path) -> AgentSettings:
    """Settings of an agent in an image whose managed file leads to the organisation."""
    (tmp_path / "org").mkdir()
    (tmp_path / "claude-code").mkdir()
    link = tmp_path / "claude-code" / "managed-mcp.json"
    link.symlink_to(tmp_path / "org" / "managed-mcp.json")
    return settings_in(tmp_path)


def organise(settings: AgentSettings, text: str) -> None:
    """Write the organisation's file."""
    (Path(settings.org_directory) / "managed-mcp.json").write_text(text)


def test_without_a_file_there_is_none(settings: AgentSettings) -> None:
    """E12: a dangling link is none, for the CLI too."""
    assert managed_state(settings) == {"managed_mcp": "absent", "restart_needed": []}
    assert managed_warnings(settings) == []


def test_a_file_is_present_and_gone_again_with_the_organisations(
    settings: AgentSettings,
) -> None:
    """E12: nothing is copied, so that nothing can be stale."""
    organise(settings, GOOD)
    assert managed_present(settings) and managed_warnings(settings) == []

    (Path(settings.org_directory) / "managed-mcp.json").unlink()

    assert not managed_present(settings)


def test_a_change_is_told_until_no_process_has_the_old_form(
    settings: AgentSettings,
) -> None:
    """E12: a change needs a new process of the CLI."""
    before = given_now(settings)
    organise(settings, GOOD)
    after = given_now(settings)
    (Path(settings.org_directory) / "CLAUDE.md").write_text("Rules.")

    first = managed_state(settings, [before, after])["restart_needed"]
    later = managed_state(settings, [given_now(settings)])["restart_needed"]

    assert first == ["managed_mcp", "persona"]
    assert later == []


@pytest.mark.parametrize(
    "text", ["{bad", "[]", "{}", '{"mcpServers": []}', "[" * 100_000]
)
def test_a_file_that_is_no_configuration_is_told_of(
    settings: AgentSettings, text: str
) -> None:
    """E12: the CLI itself says nothing, and has no server at all."""
    organise(settings, text)

    result, _log = booted(settings)

    assert result.errors == ()
    [warning] = result.warnings
    assert "managed-mcp.json" in warning and "none until" in warning


def test_an_image_that_does_not_lead_to_it_is_told_of(
    settings: AgentSettings, tmp_path: Path
) -> None:
    """E12."""
    organise(settings, GOOD)
    (tmp_path / "claude-code" / "managed-mcp.json").unlink()

    [warning] = managed_warnings(settings)

    assert "claude-code/managed-mcp.json" in warning
    assert managed_state(settings)["managed_mcp"] == "absent"


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, for uids")
def test_a_directory_of_the_organisation_that_is_hidden_does_not_end_the_boot(
    settings: AgentSettings, tmp_path: Path
) -> None:
    """E12, E13: it is named, and keeps the agent from work without its rules."""
    reachable(tmp_path)
    os.chown(settings.working_directory, AGENT_UID, AGENT_UID)
    for text in (settings.org_directory, settings.managed_directory):
        Path(text).chmod(0o700)

    done = boot_process(settings, AGENT_UID)

    assert done.returncode == 0, done.stderr
    assert f"{settings.org_directory}/skills: Permission denied" in done.stdout
