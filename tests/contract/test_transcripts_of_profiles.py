# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""session_info finds the transcripts of every profile, wherever it keeps them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.agentkeep.agents.plugins.module_utils._files import (
    host_paths,
)
from ansible_collections.agentkeep.agents.plugins.module_utils._state import (
    deployment as place,
)
from ansible_collections.agentkeep.agents.plugins.module_utils._transcripts import (
    options,
    read,
)
from session_trees import FIRST, content_of
from shipped_profiles import NAMES, PROFILES, identities, load, named

# Where each system keeps its projects on the host, below the data root.
KEPT = {
    "agentd": "demo/agents/main/memory/.claude/projects",
    "picoclaw": "demo/agents/main/memory/.claude/projects",
    "claude_code_agent": "demo/shared/machine_data/home/.claude/projects",
    "claude_hooks": "agent-env/dev/projects",
    "nanoclaw": "data/v2-sessions/g1/.claude-shared/projects",
}


def declared(profile: dict[str, Any], data_root: Path) -> dict[str, Any]:
    """Return the module's options for a small deployment of a profile."""
    known = identities(profile)
    agent = {"name": "main", "names": NAMES, **known.pop("agent", {"uid": 20101})}
    services = {
        name: {"image": "an-image:1", **service}
        for name, service in profile["components"].items()
    }
    return {
        "data_root": str(data_root),
        "deployment": "demo",
        "agents": [agent],
        "components": known,
        "include_optional": [],
        "services": json.loads(json.dumps(services)),
        "operator_mounts": [],
        "operator_prefix": profile.get("operator_prefix", "/data/extra"),
        "operator_mounts_refused": "fail",
        "allow_sensitive_mounts": False,
        "allowlist_file": "/nonexistent",
        "agent": None,
        "most_transcripts": 10,
        "scan_timeout_seconds": 10,
        **{key: profile.get(key) for key in ("inventory", "places", "managed")},
    }


@pytest.mark.parametrize("profile", PROFILES, ids=named)
def test_transcripts_are_found_where_the_profile_s_cli_keeps_them(
    profile: Path, tmp_path: Path
) -> None:
    """G14: also where the configuration's directory is not the usual one."""
    params = declared(load(profile), tmp_path)
    deployment = place.Deployment.from_params(params)
    projects = tmp_path / KEPT[profile.stem]
    (projects / "-work").mkdir(parents=True)
    file = projects / "-work" / f"{FIRST}.jsonl"
    file.write_bytes(content_of(FIRST))
    file.chmod(0o644)

    asked = options.Asked.from_params(params, deployment, host_paths.HostPaths())
    # What belongs to whom is not laid out here.
    places = [one for one in asked.places if one.shown == str(projects)]
    readings = read.read_places(
        places, read.Bounds(10, 10), False, lambda _volume: None
    )

    assert len(places) == 1, [one.shown for one in asked.places]
    (found,) = readings[0].transcripts
    assert found.session == FIRST
    assert found.path == str(file)
    assert found.verdict.word in ("sound", "damaged")
