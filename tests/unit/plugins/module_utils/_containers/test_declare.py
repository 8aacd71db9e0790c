# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Containers follow from what is declared."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.agentkeep.agents.plugins.module_utils._containers import (
    container,
)
from ansible_collections.agentkeep.agents.plugins.module_utils._errors import (
    InvalidInput,
)

Params = dict[str, Any]


def test_names_and_labels_tell_deployments_apart(one: container.Container) -> None:
    """D03, D19, D20: every name holds the deployment's, every label too."""
    assert one.name == "agentkeep-demo-agent-main"
    assert one.networks == ("agentkeep-demo-back", "agentkeep-demo-front")
    assert one.labels == {
        "agentkeep.deployment": "demo",
        "agentkeep.id": "0" * 32,
        "agentkeep.component": "agent",
        "agentkeep.agent": "main",
        "agentkeep.settings": "1234567890abcdef",
    }
    assert one.user == "20101:20101"


def test_an_agent_that_is_not_enabled_has_no_container(
    declared_params: Params, declared: Any
) -> None:
    """K02: disabled is not desired."""
    declared_params["agents"][0]["enabled"] = False

    assert declared(declared_params) == ()


def test_a_lazy_agent_is_made_and_not_started(
    declared_params: Params, declared: Any
) -> None:
    """K11: lazy has no restart; switching it off is another restart policy."""
    declared_params["agents"][0]["lazy"] = True

    (lazy,) = declared(declared_params)

    assert (lazy.restart, lazy.start) == ("no", False)


def test_two_containers_cannot_publish_one_port(
    declared_params: Params, declared: Any
) -> None:
    declared_params["agents"].append({"name": "mail", "uid": 20102})

    with pytest.raises(InvalidInput, match=r"publishes 127\.0\.0\.1:18798 too"):
        declared(declared_params)


def test_a_mount_cannot_lie_at_a_temporary_directory(
    declared_params: Params, declared: Any
) -> None:
    service = declared_params["services"]["agent"]
    service["temporary"] = [{"target": "/data/memory"}]

    with pytest.raises(InvalidInput, match="a mount and a temporary directory"):
        declared(declared_params)


def test_options_of_mounts_reach_directories_only(
    declared_params: Params, declared: Any
) -> None:
    """B19: z is given to binds, not to volumes."""
    declared_params["services"]["agent"]["mount_options"] = ["z"]

    (found,) = declared(declared_params)

    assert {(mount.type, mount.options) for mount in found.mounts} == {
        ("bind", ("z",)),
        ("volume", ()),
    }


def test_containers_of_another_program_are_found_by_their_own_names(
    declared_params: Params, declared: Any
) -> None:
    declared_params["managed"] = False
    declared_params["agents"][0]["names"] = {"group": "g1"}
    declared_params["services"] = {
        "agent": {"find": {"labels": {"group": "{group}"}, "name": "own-{agent}-*"}}
    }
    declared_params.pop("secret_environment")

    (found,) = declared(declared_params)

    assert (found.find.labels, found.find.name) == ({"group": "g1"}, "own-main-*")
    assert (found.managed, found.labels) == (False, {})


TRANSCRIPTS = [
    ("/data/config", None),
    ("/data/memory/.claude", None),
    ("/data", "is in no mount"),
    ("/tmp/claude", "in memory and lost at each start"),
    ("/home/claude", "is in no mount"),
]


@pytest.mark.parametrize(("directory", "why"), TRANSCRIPTS)
def test_transcripts_must_have_a_writable_place(
    directory: str, why: str | None, declared_params: Params, declared: Any
) -> None:
    """B07: a read-only configuration directory needs a writable projects."""
    declared_params["services"]["agent"]["config_directory"] = directory

    if why is None:
        assert declared(declared_params)
        return
    with pytest.raises(InvalidInput, match=why):
        declared(declared_params)


def test_a_read_only_configuration_without_projects_is_refused(
    declared_params: Params, declared: Any
) -> None:
    """B07: the fault that lost conversations without a word."""
    del declared_params["inventory"][1]

    with pytest.raises(InvalidInput, match='at "/data/config", which is read-only'):
        declared(declared_params)
