# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""What the role deployment declares, refuses and warns of, for every profile."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from role_documents import Documents, documents, preflight

SECRET = "sk-a$b'c"
PICOCLAW: dict[str, Any] = {
    "deployment_profile": "picoclaw",
    "deployment_image": "picoclaw:1.2.17",
    "deployment_anthropic_api_key": SECRET,
    "deployment_agents": [
        {"name": "main", "uid": 1000, "environment": {"TZ": "UTC"}},
        {"name": "other", "uid": 1001, "port": 9001, "lazy": True},
    ],
}
SYSTEM: dict[str, Any] = {
    "deployment_profile": "claude_code_agent",
    "deployment_image": "claude-code-agent:1",
    "deployment_secret_environment": {"redis": {"REDIS_PASSWORD": "word"}},
    "deployment_services": {"redis": {"image": "redis:7-alpine"}},
}


@pytest.fixture(scope="module")
def agentd(tmp_path_factory: pytest.TempPathFactory) -> Documents:
    """Return what the role makes of a persona and changed limits."""
    variables = {
        "deployment_drain_seconds": 100,
        "deployment_restart": "on-failure:3",
        "deployment_log_bytes": 1000000,
        "deployment_log_files": 5,
        "deployment_persona": "You are kind.",
        "deployment_port": 8711,
    }
    return documents(tmp_path_factory.mktemp("agentd"), variables)


@pytest.fixture(scope="module")
def picoclaw(tmp_path_factory: pytest.TempPathFactory) -> Documents:
    """Return what the role makes of two users of picoclaw."""
    return documents(tmp_path_factory.mktemp("picoclaw"), PICOCLAW)


def services(made: Documents) -> dict[str, dict[str, Any]]:
    """Return the option services."""
    found: dict[str, dict[str, Any]] = made.given["running"]["services"]
    return found


def test_every_container_restarts_drains_and_logs_as_the_variables_say(
    agentd: Documents,
) -> None:
    """D04, D07, D25."""
    found = services(agentd).values()

    assert {one["restart"] for one in found} == {"on-failure:3"}
    assert {one["stop_grace_seconds"] for one in found} == {130}
    assert {(one["log_bytes"], one["log_files"]) for one in found} == {(1000000, 5)}


def test_every_container_is_asked_for_its_health_by_what_its_image_has(
    agentd: Documents,
) -> None:
    """D05."""
    checks = [one["health"] for one in services(agentd).values()]

    assert [check["command"] for check in checks] == [["agentd", "health"]] * 3
    assert all(check["interval_seconds"] == 30 for check in checks)


def test_only_control_is_published_and_agents_have_no_network(
    agentd: Documents,
) -> None:
    found = services(agentd)

    ports = {name: one.get("ports", []) for name, one in found.items()}
    published = {"host": "127.0.0.1", "published": 8711, "target": 8080}
    assert ports == {"control": [published], "gateway": [], "agent": []}
    assert found["agent"]["networks"] == []


@pytest.mark.parametrize(("force", "policy"), [(False, "keep"), (True, "replace")])
def test_a_persona_is_written_where_there_is_none_unless_it_is_forced(
    tmp_path: Path, force: bool, policy: str
) -> None:
    """D22."""
    variables = {"deployment_persona": "Kind.", "deployment_persona_force": force}

    made = documents(tmp_path, variables)

    assert made.files["memory/main", "CLAUDE.md"]["policy"] == policy


def test_secrets_of_other_systems_are_in_no_service(picoclaw: Documents) -> None:
    """D10: they reach the module by the one option that it shows to nobody."""
    running = picoclaw.given["running"]

    assert running["secret_environment"]["agent"] == {"ANTHROPIC_API_KEY": SECRET}
    assert SECRET not in str({**running, "secret_environment": {}})


def test_each_agent_with_an_api_of_its_own_has_its_own_port_and_environment(
    picoclaw: Documents,
) -> None:
    main, other = picoclaw.given["place"]["agents"]

    assert main["service"]["ports"][0]["published"] == 8700
    assert main["service"]["environment"] == {"TZ": "UTC"}
    assert other["service"]["ports"][0]["published"] == 9001
    assert other["lazy"]


def test_a_redis_of_its_own_gives_the_app_its_address(tmp_path: Path) -> None:
    """D08: it publishes nothing."""
    made = documents(tmp_path, SYSTEM)

    secrets = made.given["running"]["secret_environment"]
    assert secrets["app"] == {"REDIS_URL": "redis://:word@redis:6379/0"}
    assert services(made)["redis"].get("ports", []) == []
    assert services(made)["app"]["needs"] == ["redis"]


def test_external_services_take_the_place_of_local_ones(tmp_path: Path) -> None:
    """D24."""
    made = documents(
        tmp_path,
        {
            **SYSTEM,
            "deployment_redis_url": "redis://else:6379/0",
            "deployment_database_url": "postgresql://else/db",
        },
    )

    entries = {entry["name"] for entry in made.given["place"]["inventory"]}
    secrets = made.given["running"]["secret_environment"]
    assert list(services(made)) == ["app"]
    assert services(made)["app"]["needs"] == []
    assert "DATABASE_URL" not in services(made)["app"]["environment"]
    assert not entries & {"queue", "database"}
    assert secrets == {
        "app": {
            "REDIS_URL": "redis://else:6379/0",
            "DATABASE_URL": "postgresql://else/db",
        }
    }


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        pytest.param(
            {**PICOCLAW, "deployment_listen_address": "0.0.0.0"},
            ["without a token", "deployment_api_token", "deployment_allow_open_api"],
            id="D13: an open port without a token",
        ),
        pytest.param(
            {"deployment_stop_grace_seconds": 10},
            ["turns may take 300 s", "deployment_stop_grace_seconds"],
            id="D07: killed before it has drained",
        ),
        pytest.param(
            {"USER_SKILLS_DIR": "/x", "deployment_removed_variables": "refuse"},
            ['"USER_SKILLS_DIR" is gone', '"skills" of the entry "memory"'],
            id="D14: a variable that is gone",
        ),
        pytest.param(
            {"deployment_state": "absent", "deployment_wipe": True},
            ["Cannot wipe", "deployment_confirm"],
            id="K07: data without the name typed",
        ),
        pytest.param(
            {**PICOCLAW, "deployment_anthropic_api_key": ""},
            ["needs the secrets ANTHROPIC_API_KEY", "deployment_anthropic_api_key"],
            id="a profile without its key",
        ),
        pytest.param(
            {**PICOCLAW, "deployment_secret_environment": {"agent": SECRET}},
            [
                "Cannot use the secrets of agent",
                "Correct them in deployment_secret_environment",
            ],
            id="secrets of a service that are no mapping",
        ),
        pytest.param(
            {"deployment_anthropic_api_key": f"{SECRET}\nmore"},
            ["holds a line end", "deployment_anthropic_api_key to the key alone"],
            id="a key of two lines",
        ),
        pytest.param(
            {**SYSTEM, "deployment_services": {}},
            ["no image of one is known", "deployment_services"],
            id="a Redis without an image",
        ),
        pytest.param(
            {**PICOCLAW, "deployment_redis_url": "redis://else"},
            ["Cannot give", "deployment_redis_url"],
            id="a Redis for a system that has none",
        ),
        pytest.param(
            {"deployment_agents": [{"name": "a", "uid": 5, "enabled": False}]},
            ["no agent is declared and enabled", "deployment_agents"],
            id="nobody enabled",
        ),
    ],
)
def test_what_cannot_work_is_refused_by_name(
    tmp_path: Path, variables: dict[str, Any], words: list[str]
) -> None:
    """Q09."""
    answer = preflight(tmp_path, variables)

    assert answer.status != 0
    assert [word for word in words if word not in answer.said] == []
    assert SECRET not in answer.said


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        pytest.param(
            {"SESSIONS_DIR": "/here"},
            '"SESSIONS_DIR" is gone and has no effect',
            id="D14",
        ),
        pytest.param(PICOCLAW, "asks for no token", id="D13"),
    ],
)
def test_what_is_not_as_it_seems_is_said_once_and_goes_on(
    tmp_path: Path, variables: dict[str, Any], words: str
) -> None:
    answer = preflight(tmp_path, variables)

    assert answer.status == 0
    assert answer.said.count(words) == 1
    assert "/here" not in answer.said
