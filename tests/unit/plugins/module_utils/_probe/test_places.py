# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""What a container must be able to write."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.agentkeep.agents.plugins.module_utils._containers.container import (  # noqa: E501
    Container,
    DeclaredIdentity,
)
from ansible_collections.agentkeep.agents.plugins.module_utils._containers.declare import (  # noqa: E501
    containers_of,
)
from ansible_collections.agentkeep.agents.plugins.module_utils._containers.services import (  # noqa: E501
    Services,
)
from ansible_collections.agentkeep.agents.plugins.module_utils._mounts.effective import (  # noqa: E501
    mounts_of,
)
from ansible_collections.agentkeep.agents.plugins.module_utils._probe.places import (
    Facts,
    may_write,
    task_of,
)
from ansible_collections.agentkeep.agents.plugins.module_utils._state.deployment import (  # noqa: E501
    Deployment,
)
from ansible_collections.agentkeep.agents.plugins.module_utils._state.identity import (
    Identity,
)

OWN = Identity(uid=20101, gid=20101)
CONFIG = {"agent": {"image": "i", "config_directory": "/data/memory/.claude"}}


def declared(
    params: dict[str, Any], services: dict[str, Any]
) -> tuple[Deployment, dict[str, Container]]:
    """Return a deployment and its containers by their short names."""
    deployment = Deployment.from_params(params)
    found = containers_of(
        deployment,
        mounts_of(deployment),
        Services.from_params(services, deployment),
        DeclaredIdentity(id="x"),
    )
    return deployment, {one.service: one for one in found}


@pytest.mark.parametrize(
    ("owner", "writes"),
    [
        ((20101, 20101, 0o750), True),
        ((20101, 20101, 0o550), False),
        ((0, 20101, 0o770), True),
        ((0, 20101, 0o750), False),
        ((0, 0, 0o711), False),
        ((0, 0, 0o777), True),
        ((20101, 0, 0o077), False),
        ((None, None, None), True),
    ],
)
def test_declared_owner_and_mode_say_who_writes(
    owner: tuple[int | None, int | None, int | None], writes: bool
) -> None:
    assert may_write(OWN, owner) is writes


def test_directories_of_others_are_written_where_they_are_ones_own(
    params: dict[str, Any],
) -> None:
    """Control writes to each agent's socket directory, not to root's above them."""
    deployment, containers = declared(params, {"control": {"image": "i"}})

    task = task_of(deployment, containers["control"], Facts())

    assert [(place.entry, place.path) for place in task.places] == [
        ("socket", "/run/sockets/main"),
        ("socket", "/run/sockets/mail"),
        ("queue", "/data/queue"),
    ]
    assert task.transcripts is None


def test_an_agent_writes_what_is_mounted_for_writing(params: dict[str, Any]) -> None:
    deployment, containers = declared(params, CONFIG)
    facts = Facts("/app", "/tmp", {"/data/memory": (1, 2)}, {"s-1": "conv-1"})

    task = task_of(deployment, containers["agent-main"], facts)

    assert [place.path for place in task.places] == ["/data/memory"]
    assert task.transcripts is not None
    assert task.transcripts.path == "/data/memory/.claude/projects"
    assert (task.transcripts.device, task.transcripts.inode) == (1, 2)
    assert task.temporary == "/tmp"
    assert task.sessions == {"s-1": "conv-1"}


@pytest.mark.parametrize(
    ("declared_one", "own", "tried"),
    [
        ("/data/memory/work", "/", ["/data/memory", "/data/memory/work"]),
        (None, "/data/memory/a/b", ["/data/memory", "/data/memory/a/b"]),
        (None, "/data/memory", ["/data/memory"]),
        (None, "/run/control/x", ["/data/memory"]),
        (None, "", ["/data/memory"]),
    ],
)
def test_a_working_directory_below_a_mount_is_written(
    params: dict[str, Any], declared_one: str | None, own: str, tried: list[str]
) -> None:
    """A14: one that the engine made is root's."""
    deployment, containers = declared(params, CONFIG)
    container = replace(containers["agent-main"], working_directory=declared_one)

    task = task_of(deployment, container, Facts(working_directory=own))

    assert [place.path for place in task.places] == tried


def test_projects_with_a_mount_of_their_own_are_looked_at_there(
    params: dict[str, Any],
) -> None:
    params["inventory"].append(
        {
            **copy.deepcopy(params["inventory"][0]),
            "name": "projects",
            "source": "projects",
            "mounts": [
                {
                    "component": "agent",
                    "target": "/data/memory/.claude/projects",
                    "access": "rw",
                }
            ],
        }
    )
    deployment, containers = declared(params, CONFIG)

    task = task_of(deployment, containers["agent-main"], Facts())

    assert task.transcripts is not None
    assert (task.transcripts.entry, task.transcripts.below) == ("projects", ())


def test_a_config_directory_in_no_mount_holds_no_transcripts(
    params: dict[str, Any],
) -> None:
    deployment, containers = declared(params, CONFIG)
    container = replace(
        containers["agent-main"], config_directory="/home/agent/.claude"
    )

    task = task_of(deployment, container, Facts(sessions={"s": "c"}))

    assert (task.transcripts, task.sessions) == (None, {})
