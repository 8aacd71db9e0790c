# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""The documents in which the deployment role and agentd meet, written and read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from role_documents import Documents, documents, preflight

from agentd.agent.settings import AgentSettings, load_agent_settings
from agentd.settings import (
    AgentRules,
    ControlSettings,
    GatewaySettings,
    load_control_settings,
    load_gateway_settings,
)

DECLARED: dict[str, Any] = {
    "deployment_agents": [
        {"name": "main", "uid": 20101},
        {
            "name": "mail",
            "uid": 20102,
            "model": "claude-sonnet-4-5",
            "environment": {"TZ": "UTC"},
            "system_prompt": "You read mail.",
            "tools": [],
            "skills": ["letters"],
            "models": ["claude-sonnet-4-5"],
            "budget_usd": 1.5,
            "budget_tokens": 1_000_000,
            "budget_period": "month",
            "sign_in": "direct",
            "service": {"memory_bytes": 1_073_741_824},
        },
    ],
    "deployment_api_token": "a-token-that-is-long-enough",
    "deployment_anthropic_api_key": "not-a-real-key",
    "deployment_include_optional": ["credentials"],
    "deployment_max_live_clients": 3,
    "deployment_max_starting_clients": 1,
    "deployment_live_memory_bytes": 1_000_000_000,
    "deployment_session_max_bytes": 12_000_000,
    "deployment_session_max_days": 14,
    "deployment_prices": {
        "claude-sonnet": {
            "input": 3,
            "output": 15,
            "cache_write": 3.75,
            "cache_read": 0.3,
        }
    },
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


@pytest.fixture(scope="module")
def defaults(tmp_path_factory: pytest.TempPathFactory) -> Documents:
    """Return what the role makes of nothing but defaults."""
    return documents(tmp_path_factory.mktemp("defaults"), {})


@pytest.fixture(scope="module")
def declared(tmp_path_factory: pytest.TempPathFactory) -> Documents:
    """Return what it makes of two agents, a token and a key."""
    return documents(tmp_path_factory.mktemp("declared"), DECLARED)


def mounted(made: Documents, entry: str) -> dict[str, str]:
    """Return where each component sees an entry of the inventory."""
    return {
        mount["component"]: mount["target"]
        for one in made.given["place"]["inventory"]
        if one["name"] == entry
        for mount in one["mounts"]
    }


def socket_in(made: Documents, component: str) -> str | None:
    """Return where a component meets the gateway's status."""
    place = mounted(made, "gateway-status").get(component)
    return place and f"{place}/status.sock"


def test_settings_written_from_defaults_are_what_agentd_defaults_to(
    defaults: Documents,
) -> None:
    control = load_control_settings(defaults.written("settings"))
    gateway = load_gateway_settings(defaults.written("secrets"))
    agent = load_agent_settings(defaults.written("agent-settings/main"))

    assert control == ControlSettings.model_validate(
        {
            "component": "control",
            "deployment": "main",
            "host": "localhost",
            "api_token_file": "/etc/agentd/api_token",
            "agents": [{"name": "main", "memory_bytes": 2_147_483_648}],
            "gateway_status_socket": socket_in(defaults, "control"),
        }
    )
    assert gateway == GatewaySettings(
        component="gateway",
        deployment="main",
        agents=["main"],
        usage_directory=mounted(defaults, "gateway-usage").get("gateway"),
        credentials_directory=mounted(defaults, "gateway-credentials").get("gateway"),
        status_socket=socket_in(defaults, "gateway"),
    )
    assert agent == AgentSettings(component="agent", deployment="main", agent="main")


def test_settings_written_from_declared_agents_are_read_as_declared(
    declared: Documents,
) -> None:
    control = load_control_settings(declared.written("settings"))
    gateway = load_gateway_settings(declared.written("secrets"))
    mail = load_agent_settings(declared.written("agent-settings/mail"))

    assert [agent.model for agent in control.agents] == [None, "claude-sonnet-4-5"]
    assert control.max_live_clients == 3
    assert gateway.agents == ["main", "mail"]
    assert gateway.upstream == "https://api.anthropic.com"
    assert gateway.api_key_file == "/etc/agentd/anthropic_api_key"
    assert gateway.credentials_directory == "/data/credentials"
    assert mail.environment == {"TZ": "UTC"}
    assert (mail.skills, mail.sign_in) == (["letters"], "direct")
    main, other = control.agents
    assert (main.tools, main.memory_bytes) == (["send_message"], 2_147_483_648)
    assert (other.tools, other.memory_bytes) == ([], 1_073_741_824)
    assert other.system_prompt == "You read mail."


def test_a_key_that_is_uploaded_needs_none_that_is_declared(tmp_path: Path) -> None:
    made = documents(tmp_path, {"deployment_uploaded_credentials": True})

    gateway = load_gateway_settings(made.written("secrets"))

    assert gateway.upstream == "https://api.anthropic.com"
    assert (gateway.api_key_file, gateway.credentials_directory) == (
        None,
        "/data/credentials",
    )


def test_another_key_makes_no_container_anew(declared: Documents) -> None:
    """J14: it is the gateway's alone, and read again when it changes."""
    live = [place for place, one in declared.files.items() if one.get("live")]

    assert live == [("secrets", "anthropic_api_key")]


def test_limits_and_rules_reach_the_component_that_keeps_them(
    declared: Documents,
) -> None:
    control = load_control_settings(declared.written("settings"))
    gateway = load_gateway_settings(declared.written("secrets"))

    assert control.max_starting_clients == 1
    assert control.live_memory_bytes == 1_000_000_000
    assert (control.session_max_bytes, control.session_max_days) == (12_000_000, 14)
    assert gateway.prices["claude-sonnet"].cache_write == 3.75
    assert gateway.rules == {
        "mail": AgentRules(
            models=["claude-sonnet-4-5"],
            budget_usd=1.5,
            budget_tokens=1_000_000,
            budget_period="month",
            sign_in="direct",
        )
    }


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"deployment_agent_max_processes": 65}, "1 to 64 are possible"),
        ({"deployment_cleanup_period_days": 0}, "deployment_cleanup_period_days"),
        ({"deployment_max_waiting_turns": -1}, "deployment_max_waiting_turns"),
        ({"deployment_session_end_marker": ""}, "deployment_session_end_marker"),
        ({"deployment_upstream_url": "example.org"}, "deployment_upstream_url"),
        (
            {"deployment_agents": [{"name": "a", "uid": 7, "sign_in": "direct"}]},
            'Add "credentials" to deployment_include_optional',
        ),
        (
            {"deployment_agents": [{"name": "a", "uid": 7, "budget_usd": 1}]},
            "Set deployment_prices",
        ),
        (
            {"deployment_agents": [{"name": "a", "uid": 7, "skills": ["../x"]}]},
            'Cannot use the names ["../x"] of skills or models',
        ),
        (
            {"deployment_agents": [{"name": "a", "uid": 7, "models": ["--x"]}]},
            'Cannot use the names ["--x"] of skills or models',
        ),
        (
            {
                "deployment_agents": [
                    {"name": "a", "uid": 7, "system_prompt": "x" * 65_537}
                ]
            },
            "one is longer than 65536 characters",
        ),
        (
            {"deployment_prices": {"claude": {"input": 1}}},
            "Cannot use the prices of claude",
        ),
    ],
)
def test_settings_that_agentd_would_refuse_are_refused_before_anything_is_touched(
    tmp_path: Path, variables: dict[str, Any], said: str
) -> None:
    """E07: transcripts that the CLI may delete at once are no setting."""
    answer = preflight(tmp_path, variables)

    assert answer.status != 0
    assert said in answer.said


def test_no_document_but_its_own_file_holds_a_secret(declared: Documents) -> None:
    secrets = {
        DECLARED["deployment_api_token"]: ("settings", "api_token"),
        DECLARED["deployment_anthropic_api_key"]: ("secrets", "anthropic_api_key"),
    }

    holders = {
        secret: [
            place for place, one in declared.files.items() if secret in json.dumps(one)
        ]
        for secret in secrets
    }
    elsewhere = {**declared.given, "running": {**declared.given["running"], "files": 0}}

    assert holders == {secret: [place] for secret, place in secrets.items()}
    assert {declared.files[place]["mode"] for place in secrets.values()} == {"0600"}
    assert not any(secret in json.dumps(elsewhere) for secret in secrets)


def test_a_token_that_nobody_gave_is_generated_once(defaults: Documents) -> None:
    """D12: it is made on the host, and never passes through the play."""
    token = defaults.files["settings", "api_token"]

    assert (token["policy"], token["renew"]) == ("generate", False)
    assert "content" not in token


def test_each_component_finds_its_settings_at_the_place_that_agentd_looks(
    defaults: Documents,
) -> None:
    mounted = {
        entry["name"]: mount["component"]
        for entry in defaults.given["place"]["inventory"]
        for mount in entry.get("mounts", [])
        if mount["target"] == "/etc/agentd"
    }

    components = {
        entry.split("/")[0]: json.loads(one["content"])["component"]
        for (entry, name), one in defaults.files.items()
        if name == "settings.json"
    }

    assert components == mounted
