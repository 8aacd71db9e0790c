# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""The profiles that ship are accepted by the plugins, and keep what they say."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from ansible_collections.agentkeep.agents.plugins.module_utils._containers import (
    service as declared_service,
)
from ansible_collections.agentkeep.agents.plugins.module_utils._mounts import effective
from ansible_collections.agentkeep.agents.plugins.module_utils._state.inventory import (
    Inventory,
)
from ansible_collections.agentkeep.agents.plugins.module_utils._state.layout import (
    layout_of,
)
from shipped_profiles import (
    DEPLOYED,
    KEYS,
    PROFILES,
    deployment_of,
    load,
    mounts,
    named,
    profile_of,
)
from working_tree import ROOT


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
def test_every_source_is_laid_out_before_a_container_is_made(name: str) -> None:
    """A06: no bind source is left to the engine, which would make it root's."""
    profile = profile_of(name)
    optional = [
        one["name"] for one in profile["inventory"] if one.get("optional") is True
    ]
    deployment = deployment_of(profile, *optional)

    laid_out = {
        f"{deployment.data_root}/{one.path}": (one.uid, one.gid, one.mode)
        for one in layout_of(deployment).directories
    }

    bound = [
        one for one in effective.mounts_of(deployment).mounts if one.type == "bind"
    ]
    assert bound
    for one in bound:
        assert laid_out[one.source] == (one.uid, one.gid, one.mode)


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


def test_every_profile_has_its_page() -> None:
    page = (ROOT / "docs/profiles.md").read_text(encoding="utf-8")

    assert [one.stem for one in PROFILES if f"`{one.stem}`" not in page] == []
