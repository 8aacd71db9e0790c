# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""A container that is there, declared as it is."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.agentkeep.agents.plugins.module_utils._containers import (
    adopted,
    compare,
    compose,
    container,
)

Container = container.Container
MADE = ["made_by_compose", "made_by_docker"]
IDENTITY = container.DeclaredIdentity("0" * 32, references={"agent-main": "kept:1"})


@pytest.mark.parametrize("name", MADE)
def test_what_would_make_a_container_again_does_not_differ_from_it(
    name: str, one: Container, seen: Any, record: Any
) -> None:
    """K15: image, process, mounts, walls and limits are those of the container."""
    observed = seen(record(name))

    found = adopted.container_of(observed, one, IDENTITY)

    assert compare.differences(found, observed) == ()
    assert (found.name, found.service, found.start) == (one.name, one.service, True)


def test_a_variable_that_is_not_declared_may_be_a_secret(
    one: Container, seen: Any, record: Any
) -> None:
    """D10: the compose file has its name only; those of the image are in neither."""
    found = adopted.container_of(seen(record(MADE[0])), one, IDENTITY)
    bare = adopted.container_of(
        seen(record(MADE[0])), Container(service="agent-main"), IDENTITY
    )

    assert found.secret_environment == {"API_TOKEN": "canary"}
    assert set(bare.secret_environment) == {"API_TOKEN", "PLAIN", "EMPTY"}
    assert "canary" not in compose.compose_text([found], "agentkeep-demo")
    assert "canary" not in repr(found)


def test_the_id_of_the_deployment_takes_the_place_of_labels_of_others(
    one: Container, seen: Any, record: Any
) -> None:
    """D19: compose writes its own labels again."""
    inspected = record(MADE[0])
    del inspected["Config"]["Labels"]["agentkeep.id"]

    found = adopted.container_of(seen(inspected), one, IDENTITY)

    assert found.labels["agentkeep.id"] == "0" * 32
    assert found.labels["agentkeep.deployment"] == "demo"
    assert not [name for name in found.labels if name.startswith("com.docker")]


def test_one_that_never_ran_is_made_and_not_started(
    one: Container, seen: Any, record: Any
) -> None:
    """K11: as it was."""
    observed = seen(record("made_by_compose_not_started"))

    assert adopted.container_of(observed, one, IDENTITY).start is False
