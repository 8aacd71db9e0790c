# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""The profiles that ship are state inventories that the plugins accept."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.agentkeep.agents.plugins.module_utils._state.inventory import (
    Inventory,
)
from working_tree import ROOT

PROFILES = sorted((ROOT / "profiles").glob("*.yml"))


def named(profile: Path) -> str:
    """Return the test id of a profile."""
    return profile.stem


def load(profile: Path) -> dict[str, Any]:
    """Return the content of a profile."""
    loaded: dict[str, Any] = yaml.safe_load(profile.read_text(encoding="utf-8"))
    return loaded


@pytest.mark.parametrize("profile", PROFILES, ids=named)
def test_a_profile_is_an_inventory_that_the_plugins_accept(profile: Path) -> None:
    declared = load(profile)

    inventory = Inventory.from_params(declared["inventory"])

    assert declared["profile"] == profile.stem
    assert [entry.name for entry in inventory.entries] == [
        entry["name"] for entry in declared["inventory"]
    ]


@pytest.mark.parametrize("profile", PROFILES, ids=named)
def test_a_profile_can_be_chosen_in_the_deployment_role(profile: Path) -> None:
    specs = (ROOT / "roles/deployment/meta/argument_specs.yml").read_text("utf-8")

    options = yaml.safe_load(specs)["argument_specs"]["main"]["options"]

    assert profile.stem in options["deployment_profile"]["choices"]


@pytest.mark.parametrize("profile", PROFILES, ids=named)
def test_no_container_owns_a_directory_that_holds_what_others_mount(
    profile: Path,
) -> None:
    """The engine follows a link that the owner puts in place of such a directory."""
    inventory = Inventory.from_params(load(profile)["inventory"])

    holders = {
        (entry.within, holder.owner.for_output(), holder.mode & 0o022)
        for entry in inventory.entries
        if entry.within is not None and (holder := inventory.entry(entry.within))
    }

    assert holders == {(name, "root:root", 0) for name, *_unused in holders}
