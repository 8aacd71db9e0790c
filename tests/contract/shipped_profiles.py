# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""The profiles that ship, and a small deployment of each."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml
from ansible_collections.agentkeep.agents.plugins.module_utils._mounts import effective
from ansible_collections.agentkeep.agents.plugins.module_utils._state import (
    deployment as place,
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
