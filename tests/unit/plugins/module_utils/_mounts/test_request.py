# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""What an operator may ask for."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.agentkeep.agents.plugins.module_utils._errors import (
    InvalidInput,
)
from ansible_collections.agentkeep.agents.plugins.module_utils._mounts import (
    request,
)
from ansible_collections.agentkeep.agents.plugins.module_utils._state import (
    deployment as place,
)

OperatorOptions = request.OperatorOptions


def asked(params: dict[str, Any], **mount: Any) -> OperatorOptions:
    """Return the options with one operator mount."""
    mounts = [{"source": "/srv/projects/book", **mount}]
    deployment = place.Deployment.from_params(params)
    return OperatorOptions.from_params(
        {**params, "operator_mounts": mounts}, deployment
    )


def test_every_agent_gets_a_mount_that_names_none(params: dict[str, Any]) -> None:
    params["agents"].append({"name": "off", "uid": 20103, "enabled": False})

    assert [one.agent for one in asked(params).requests] == ["main", "mail"]
    assert [one.agent for one in asked(params, agent="mail").requests] == ["mail"]
    assert asked(params, agent="off").requests == ()
    assert [one.agent for one in asked(params, component="control").requests] == [None]


TARGETS = [
    (None, "/data/extra/book", ""),
    ("notes", "/data/extra/notes", ""),
    ("a/b", "/data/extra/a/b", ""),
    ("", "", "is no path"),
    ("  ", "", "is no path"),
    ("/x", "", "is absolute"),
    ("/data/extra/x", "", "is absolute"),
    ("../x", "", 'holds ".."'),
    ("a/../b", "", 'holds ".."'),
    ("a:ro", "", 'holds ":"'),
    ("a\nb", "", "control character"),
    ("./a", "", "holds a part"),
    ("a//b", "", "holds a part"),
    ("-a", "", "holds a part"),
]


@pytest.mark.parametrize(("target", "expected", "fault"), TARGETS)
def test_a_target_is_a_path_below_the_prefix(
    target: str | None, expected: str, fault: str, params: dict[str, Any]
) -> None:
    """C10: never absolute, never upwards, and the prefix stands once."""
    found = asked(params, target=target).requests[0]

    assert found.target == expected
    assert fault in found.fault
    assert bool(found.fault) is bool(fault)


REFUSED = [
    ({"mode": "rw"}, 'the key "mode" is unknown'),  # C03
    ({"readonly": False}, 'the key "readonly" is unknown'),  # C03
    ({"access": "write"}, "its access is 'write'"),
    ({"source": "srv"}, "is not absolute"),
    ({"source": "/srv/../etc"}, 'holds ".."'),
    ({"component": "redis"}, 'no component is named "redis"'),
    ({"component": "control", "agent": "main"}, "control is for all"),
    ({"agent": "nobody"}, "there is no such agent"),
]


@pytest.mark.parametrize(("mount", "why"), REFUSED)
def test_what_cannot_be_meant_is_refused(
    mount: dict[str, Any], why: str, params: dict[str, Any]
) -> None:
    with pytest.raises(InvalidInput) as caught:
        asked(params, **mount)

    assert why in str(caught.value)


@pytest.mark.parametrize("option", ["operator_prefix", "allowlist_file"])
def test_paths_of_options_are_absolute(option: str, params: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput, match=f"Cannot use {option}"):
        asked({**params, option: "extra"})
