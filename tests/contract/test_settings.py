# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""The documents in which the deployment role and agentd meet, written and read."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from working_tree import ROOT

from agentd.agent.settings import AgentSettings, load_agent_settings
from agentd.settings import (
    ControlSettings,
    GatewaySettings,
    load_control_settings,
    load_gateway_settings,
)

PLAY = """
- hosts: localhost
  gather_facts: false
  vars_files: [variables.yml]
  tasks:
    - ansible.builtin.include_role:
        name: agentkeep.agents.deployment
        tasks_from: "{{ item }}"
        public: true
      loop: [layout, configure]
"""
DECLARED: dict[str, Any] = {
    "deployment_agents": [
        {"name": "main", "uid": 20101},
        {
            "name": "mail",
            "uid": 20102,
            "model": "claude-sonnet-4-5",
            "environment": {"TZ": "UTC"},
        },
    ],
    "deployment_api_token": "a-token-that-is-long-enough",
    "deployment_anthropic_api_key": "not-a-real-key",
    "deployment_max_live_clients": 3,
    "deployment_inventory_extra": [
        {
            "name": "notes",
            "scope": "agent",
            "source": "notes",
            "owner": "agent",
            "mode": "0700",
            "mounts": [{"component": "agent", "target": "/data/notes", "access": "rw"}],
            "kind": "workspace",
            "backup": "files",
            "purpose": "What the agent wrote down for itself.",
        }
    ],
}

needs_root = pytest.mark.skipif(
    os.geteuid() != 0, reason="the role gives its files to other users"
)


def write_documents(place: Path, variables: dict[str, Any]) -> Path:
    """Run the role's own tasks below place; return the deployment's directory."""
    root = place / "data"
    given = {**variables, "deployment_data_root": str(root)}
    (place / "variables.yml").write_text(yaml.safe_dump(given), encoding="utf-8")
    (place / "play.yml").write_text(PLAY, encoding="utf-8")
    environment = {
        **os.environ,
        "ANSIBLE_COLLECTIONS_PATH": str(ROOT / "collections"),
        "ANSIBLE_LOCALHOST_WARNING": "false",
        "ANSIBLE_INVENTORY_UNPARSED_WARNING": "false",
    }
    finished = subprocess.run(
        ["ansible-playbook", "play.yml"],
        cwd=place,
        env=environment,
        check=False,
        capture_output=True,
        text=True,
    )
    assert finished.returncode == 0, finished.stdout + finished.stderr
    return root / "main"


@pytest.fixture(scope="module")
def defaults(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the directory of a deployment with nothing but defaults."""
    return write_documents(tmp_path_factory.mktemp("defaults"), {})


@pytest.fixture(scope="module")
def declared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the directory of a deployment with two agents, a token and a key."""
    return write_documents(tmp_path_factory.mktemp("declared"), DECLARED)


@needs_root
def test_settings_written_from_defaults_are_what_agentd_defaults_to(
    defaults: Path,
) -> None:
    control = load_control_settings(defaults / "shared/settings/settings.json")
    gateway = load_gateway_settings(defaults / "shared/secrets/settings.json")
    agent = load_agent_settings(defaults / "agents/main/settings/settings.json")

    assert control == ControlSettings.model_validate(
        {
            "component": "control",
            "deployment": "main",
            "api_token_file": "/etc/agentd/api_token",
            "agents": [{"name": "main"}],
        }
    )
    assert gateway == GatewaySettings(
        component="gateway", deployment="main", agents=["main"]
    )
    assert agent == AgentSettings(component="agent", deployment="main", agent="main")


@needs_root
def test_settings_written_from_declared_agents_are_read_as_declared(
    declared: Path,
) -> None:
    control = load_control_settings(declared / "shared/settings/settings.json")
    gateway = load_gateway_settings(declared / "shared/secrets/settings.json")
    mail = load_agent_settings(declared / "agents/mail/settings/settings.json")

    assert [agent.model for agent in control.agents] == [None, "claude-sonnet-4-5"]
    assert control.max_live_clients == 3
    assert gateway.agents == ["main", "mail"]
    assert gateway.upstream == "https://api.anthropic.com"
    assert gateway.api_key_file == "/etc/agentd/anthropic_api_key"
    assert mail.environment == {"TZ": "UTC"}


@needs_root
def test_no_document_but_its_own_file_holds_a_secret(declared: Path) -> None:
    secrets = {
        DECLARED["deployment_api_token"]: "shared/settings/api_token",
        DECLARED["deployment_anthropic_api_key"]: ("shared/secrets/anthropic_api_key"),
    }

    holders = {
        secret: [
            str(path.relative_to(declared))
            for path in sorted(declared.rglob("*"))
            if path.is_file() and secret in path.read_text(encoding="utf-8")
        ]
        for secret in secrets
    }

    assert holders == {secret: [place] for secret, place in secrets.items()}
    assert {
        (declared / place).stat().st_mode & 0o777 for place in secrets.values()
    } == {0o600}


@needs_root
def test_an_added_state_entry_is_laid_out_and_mounted_with_nothing_else_changed(
    declared: Path,
) -> None:
    compose = yaml.safe_load((declared / "compose.yml").read_text(encoding="utf-8"))
    directories = {
        agent["name"]: declared / "agents" / agent["name"] / "notes"
        for agent in DECLARED["deployment_agents"]
    }

    mounted = {
        service.removeprefix("agent-"): mount["source"]
        for service, parts in compose["services"].items()
        for mount in parts["volumes"]
        if mount["target"] == "/data/notes" and not mount["read_only"]
    }

    assert mounted == {name: str(place) for name, place in directories.items()}
    assert [place.stat().st_uid for place in directories.values()] == [20101, 20102]
    assert {place.stat().st_mode & 0o7777 for place in directories.values()} == {0o700}


@needs_root
def test_each_component_finds_its_settings_at_the_place_that_agentd_looks(
    defaults: Path,
) -> None:
    compose = yaml.safe_load((defaults / "compose.yml").read_text(encoding="utf-8"))
    sources = {
        name: [
            mount["source"]
            for mount in service["volumes"]
            if mount["target"] == "/etc/agentd"
        ]
        for name, service in compose["services"].items()
    }

    components = {
        name: json.loads((Path(found[0]) / "settings.json").read_text("utf-8"))[
            "component"
        ]
        for name, found in sources.items()
    }

    assert components == {
        "control": "control",
        "gateway": "gateway",
        "agent-main": "agent",
    }
