# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""The profiles that ship are accepted by the plugins, and keep what they say."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.agentkeep.agents.plugins.module_utils._containers import (
    service as declared_service,
)
from ansible_collections.agentkeep.agents.plugins.module_utils._mounts import effective
from ansible_collections.agentkeep.agents.plugins.module_utils._state import (
    deployment as place,
)
from ansible_collections.agentkeep.agents.plugins.module_utils._state.inventory import (
    Inventory,
)
from ansible_collections.agentkeep.agents.plugins.module_utils._state.layout import (
    layout_of,
)
from working_tree import ROOT

PROFILES = sorted((ROOT / "profiles").glob("*.yml"))
DEPLOYED = {"agentd", "picoclaw", "claude_code_agent"}
KEYS = {
    *("profile", "uses", "managed", "places", "components", "identities", "legacy"),
    *("inventory", "secret_environment", "operator_prefix"),
}
NAMES = {"group": "g1", "folder": "home", "session": "s1", "type": "dev"}
FIRST_FREE_ID = 20001

Params = dict[str, Any]


def named(profile: Path) -> str:
    """Return the test id of a profile."""
    return profile.stem


def load(profile: Path) -> Params:
    """Return the content of a profile."""
    loaded: Params = yaml.safe_load(profile.read_text(encoding="utf-8"))
    return loaded


def profile_of(name: str) -> Params:
    """Return the content of the profile of that name."""
    return load(ROOT / "profiles" / f"{name}.yml")


def identities(profile: Params) -> Params:
    """Return an identity for every component: the profile's, or a free number."""
    free = {
        name: {"uid": FIRST_FREE_ID + number}
        for number, name in enumerate(profile["components"])
    }
    return {**free, **profile.get("identities", {})}


def deployment_of(profile: Params, *included: str) -> place.Deployment:
    """Return a deployment of one agent with these optional entries."""
    known = identities(profile)
    agent = {"name": "main", "names": NAMES, **known.pop("agent", {"uid": 20101})}
    return place.Deployment.from_params(
        {
            "data_root": "/srv/agentkeep",
            "deployment": "demo",
            "agents": [agent],
            "components": known,
            "include_optional": list(included),
            **{key: profile.get(key) for key in ("inventory", "places", "managed")},
        }
    )


def mounts(profile: Params, component: str, *included: str) -> list[tuple[str, str]]:
    """Return targets and access of the mounts of a component, in order."""
    found = effective.mounts_of(deployment_of(profile, *included)).mounts
    return [(one.target, one.effective) for one in found if one.component == component]


@pytest.mark.parametrize("profile", PROFILES, ids=named)
def test_a_profile_is_a_deployment_that_the_plugins_accept(profile: Path) -> None:
    declared = load(profile)

    inventory = Inventory.from_params(
        declared["inventory"], managed=declared["managed"]
    )
    deployment = deployment_of(
        declared, *(one.name for one in inventory.entries if one.optional)
    )

    assert declared["profile"] == profile.stem
    assert set(declared) <= KEYS
    assert layout_of(deployment).directories
    assert effective.mounts_of(deployment).mounts


@pytest.mark.parametrize("profile", PROFILES, ids=named)
def test_a_profile_says_what_it_is_used_for(profile: Path) -> None:
    declared = load(profile)

    deployed = ["deploy"] if profile.stem in DEPLOYED else []
    assert declared["uses"] == [*deployed, "audit", "backup", "migrate"]
    assert declared["managed"] is (profile.stem in DEPLOYED)


@pytest.mark.parametrize("profile", PROFILES, ids=named)
def test_the_components_of_a_profile_are_services(profile: Path) -> None:
    declared = load(profile)
    managed = declared["managed"]
    image = {"image": "example:1"} if managed else {}

    for name, service in declared["components"].items():
        declared_service.Service.from_params(
            name, {**service, **image}, managed=managed
        )
        assert managed or "find" in service

    mounting = {
        mount["component"]
        for entry in declared["inventory"]
        for mount in entry.get("mounts", ())
    }
    assert mounting <= set(declared["components"])


@pytest.mark.parametrize("profile", PROFILES, ids=named)
def test_transcripts_are_kept_where_the_cli_writes_them(profile: Path) -> None:
    """B07, G14: the configuration directory has projects that can be written."""
    declared = load(profile)

    for name, service in declared["components"].items():
        if "config_directory" not in service:
            continue
        projects = f"{service['config_directory']}/projects"
        holders = [
            (target, access)
            for target, access in mounts(declared, name)
            if f"{projects}/".startswith(f"{target}/")
        ]
        assert holders[-1][1] == "rw"
        environment = service.get("environment", {})
        assert (
            environment.get("CLAUDE_CONFIG_DIR", service["config_directory"])
            == (service["config_directory"])
        )


@pytest.mark.parametrize("profile", PROFILES, ids=named)
def test_credentials_are_for_their_owner_alone(profile: Path) -> None:
    """A05, B09: directories of credentials are 0700, and are directories."""
    entries = Inventory.from_params(
        load(profile)["inventory"], managed=load(profile)["managed"]
    ).entries

    for entry in entries:
        if entry.kind == "credentials":
            assert (entry.mode, entry.form) == (0o700, "directory")
        elif entry.form == "directory" and load(profile)["managed"]:
            assert entry.mode & 0o007 <= (0o005 if entry.kind == "definitions" else 1)


@pytest.mark.parametrize("profile", PROFILES, ids=named)
def test_parents_are_mounted_before_what_lies_in_them(profile: Path) -> None:
    """B02, B04, B05: a nested mount follows the one that holds it."""
    declared = load(profile)
    optional = [
        one["name"] for one in declared["inventory"] if one.get("optional") is True
    ]

    for component in declared["components"]:
        seen: list[str] = []
        for target, _access in mounts(declared, component, *optional):
            assert not any(other.startswith(f"{target}/") for other in seen)
            assert target not in seen
            seen.append(target)


@pytest.mark.parametrize("name", sorted(DEPLOYED))
def test_a_profile_can_be_chosen_in_the_deployment_role(name: str) -> None:
    specs = (ROOT / "roles/deployment/meta/argument_specs.yml").read_text("utf-8")

    options = yaml.safe_load(specs)["argument_specs"]["main"]["options"]

    assert name in options["deployment_profile"]["choices"]


@pytest.mark.parametrize("name", sorted(DEPLOYED))
def test_no_container_owns_a_directory_that_holds_what_others_mount(name: str) -> None:
    """The engine follows a link that the owner puts in place of such a directory."""
    inventory = Inventory.from_params(profile_of(name)["inventory"])

    holders = {
        (entry.within, holder.owner.for_output(), holder.mode & 0o022)
        for entry in inventory.entries
        if entry.within is not None and (holder := inventory.entry(entry.within))
    }

    assert inventory.findings == ()
    assert holders == {(name, "root:root", 0) for name, *_unused in holders}


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
            assert not set(legacy["environment"]) & set(service["environment"])


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


def test_every_profile_has_its_page() -> None:
    page = (ROOT / "docs/profiles.md").read_text(encoding="utf-8")

    assert [one.stem for one in PROFILES if f"`{one.stem}`" not in page] == []
