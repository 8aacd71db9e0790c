# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""The options of agent_probe that lead into the containers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible_collections.agentkeep.agents.plugins.modules import agent_probe


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({}, "neither url nor inside is set"),
        ({"inside": True}, "data_root and deployment and inventory and services must"),
        ({"inside": True, "turn": True}, "url is not set"),
    ],
)
def test_a_probe_of_nothing_is_refused(
    run_module: Any, given: dict[str, Any], says: str
) -> None:
    done = run_module(agent_probe, given)

    assert done.failed is True
    assert says in done.message


def inside(params: dict[str, Any], tmp_path: Path) -> dict[str, Any]:
    """Return the options to probe from inside, with an engine that is not there."""
    given = ("data_root", "deployment", "inventory", "agents", "components")
    services = {"agent": {"image": "i", "config_directory": "/data/memory/.claude"}}
    return {
        **{name: params[name] for name in given},
        "inside": True,
        "services": services,
        "engine_socket": str(tmp_path / "no.sock"),
        "wait_seconds": 0,
    }


def test_an_engine_that_does_not_answer_is_one_clear_error(
    run_module: Any, params: dict[str, Any], tmp_path: Path
) -> None:
    """K09."""
    done = run_module(agent_probe, inside(params, tmp_path))

    assert done.failed is True
    assert f'Cannot ask the engine at "{tmp_path}/no.sock"' in done.message


def test_an_agent_without_a_container_cannot_be_probed_from_inside(
    run_module: Any, params: dict[str, Any], tmp_path: Path
) -> None:
    done = run_module(agent_probe, {**inside(params, tmp_path), "agent": "news"})

    assert 'Cannot probe agent "news" from inside: the declared' in done.message
    assert "mail, main" in done.message
