# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Each profile holds what its system does, and nothing of its mistakes."""

from __future__ import annotations

import pytest
from ansible_collections.agentkeep.agents.plugins.module_utils._state.layout import (
    layout_of,
)
from shipped_profiles import deployment_of, mounts, profile_of


def test_picoclaw_has_memory_store_and_an_optional_org() -> None:
    """A01: two read-write mounts, one more read-only with org, none for sessions."""
    profile = profile_of("picoclaw")

    plain = mounts(profile, "agent")

    assert plain == [("/data/memory", "rw"), ("/data/store", "rw")]
    assert mounts(profile, "agent", "org") == [*plain, ("/data/org", "ro")]


def test_picoclaw_names_what_took_the_place_of_removed_variables_and_mounts() -> None:
    """D14, D15: SESSIONS_DIR and USER_SKILLS_DIR are gone, and so are their mounts."""
    for name in ("picoclaw", "agentd"):
        legacy = profile_of(name)["legacy"]

        assert set(legacy["environment"]) == {"SESSIONS_DIR", "USER_SKILLS_DIR"}
        assert set(legacy["targets"]) == {"/data/sessions", "/data/skills"}
        for service in profile_of(name)["components"].values():
            assert not set(legacy["environment"]) & set(service.get("environment", {}))


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        (
            "agentd",
            [
                f"agents/main/memory{below}"
                for below in (
                    "",
                    "/skills",
                    "/.claude",
                    "/.claude/skills",
                    "/.claude/projects",
                    "/conversations",
                )
            ],
        ),
        (
            "picoclaw",
            [
                f"agents/main/memory{below}"
                for below in (
                    "",
                    "/skills",
                    "/.claude",
                    "/.claude/skills",
                    "/.claude/projects",
                    "/conversations",
                )
            ],
        ),
        (
            "claude_code_agent",
            [
                f"shared/machine_data/{below}"
                for below in (
                    "db",
                    "credentials",
                    "config/agents",
                    "config/skills",
                    "config/webhooks",
                    "registry",
                    "home/.claude/projects",
                )
            ],
        ),
    ],
)
def test_a_first_run_makes_every_directory_that_the_system_expects(
    name: str, wanted: list[str]
) -> None:
    """A02, A03: all of them, and none with a brace in its name."""
    directories = layout_of(deployment_of(profile_of(name))).directories

    paths = {one.path for one in directories}

    assert {f"demo/{path}" for path in wanted} <= paths
    assert [path for path in paths if set(path) & set("{}")] == []


def test_claude_code_agent_keeps_its_queue_and_waits_for_it() -> None:
    """D06, D08, D17, O05: AOF, password, no port, started first, no built-in bind."""
    profile = profile_of("claude_code_agent")
    redis, app = profile["components"]["redis"], profile["components"]["app"]

    assert "--appendonly yes" in redis["command"][-1]
    assert "requirepass" in redis["command"][-1]
    assert "ports" not in redis
    assert app["needs"] == ["redis"]
    assert redis["stop_order"] > app["stop_order"]
    assert profile["secret_environment"] == {
        "app": ["REDIS_URL"],
        "redis": ["REDIS_PASSWORD"],
    }
    assert mounts(profile, "app") == [("/data", "rw")]
    assert mounts(profile, "redis") == [("/data", "rw")]


def test_nanoclaw_lists_its_whole_surface_in_order() -> None:
    """B04, B08: what its own list misses is here too, and nested ones come last."""
    assert mounts(profile_of("nanoclaw"), "agent") == [
        ("/workspace", "rw"),
        ("/workspace/agent", "rw"),
        ("/workspace/agent/container.json", "ro"),
        ("/workspace/agent/CLAUDE.md", "ro"),
        ("/workspace/agent/.claude-fragments", "ro"),
        ("/workspace/global", "ro"),
        ("/app/CLAUDE.md", "ro"),
        ("/home/node/.claude", "rw"),
        ("/app/src", "ro"),
        ("/app/skills", "ro"),
        ("/workspace/skill-data", "rw"),
    ]


def test_nanoclaw_skill_data_is_the_groups_own_and_its_variable_agrees() -> None:
    """B12, B13, B15: one mount each, by the group's id, with no allowlist."""
    profile = profile_of("nanoclaw")
    deployment = deployment_of(profile)
    entry = deployment.inventory.entry("skill-data")
    assert entry is not None

    places = [path for _agent, path in deployment.located(entry)]

    assert places == ["data/v2-sessions/g1/skill-data"]
    assert profile["components"]["agent"]["environment"] == {
        "SKILL_DATA_DIR": entry.mounts[0].target
    }


def test_nanoclaw_has_its_unsafe_nesting_reported() -> None:
    findings = deployment_of(profile_of("nanoclaw")).inventory.findings

    assert [finding.split('"')[1] for finding in findings] == [
        "container-settings",
        "instructions",
        "fragments",
    ]


def test_claude_hooks_has_projects_inside_a_read_only_directory() -> None:
    """B02, B06, B10: session-env only if included, the sign-in read-only."""
    profile = profile_of("claude_hooks")
    config = "/home/claude/.config/claude-code"

    plain = mounts(profile, "agent")

    assert plain == [
        ("/state", "rw"),
        ("/home/claude", "rw"),
        (config, "ro"),
        (f"{config}/projects", "rw"),
    ]
    assert mounts(profile, "agent", "session-env") == [
        *plain,
        (f"{config}/session-env", "rw"),
    ]
    assert deployment_of(profile).inventory.findings == ()


def test_claude_hooks_volumes_have_the_names_that_it_gives_them() -> None:
    deployment = deployment_of(profile_of("claude_hooks"))

    volumes = [
        deployment.volume(entry, agent)
        for entry in deployment.inventory.entries
        for agent in deployment.agents
        if entry.volume is not None
    ]

    assert volumes == ["claude-hooks-main-state", "claude-hooks-main-home"]
