# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""deployment and deployment_info where there is no engine: they say so, and stop."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible_collections.agentkeep.agents.plugins.modules import (
    deployment,
    deployment_info,
)

Params = dict[str, Any]
GIVEN = ("data_root", "deployment", "inventory", "agents", "components")


@pytest.fixture
def options(params: Params, tmp_path: Path) -> Params:
    """Return the options of a deployment whose engine does not answer."""
    return {
        **{key: params[key] for key in GIVEN},
        "uid_offset": 0,
        "engine_socket": str(tmp_path / "no.sock"),
        "services": {"control": {"image": "agentkeep/agentd:0.1.0"}},
    }


@pytest.mark.parametrize("check", [False, True])
def test_a_silent_engine_is_one_error_and_nothing_is_made(
    options: Params, run_module: Any, check: bool
) -> None:
    """K09: in check mode as well."""
    run = run_module(deployment, options, check=check)

    assert run.failed
    assert "no.sock" in run.message
    assert not Path(options["data_root"]).exists()


def test_secrets_that_are_no_mapping_are_refused_by_name(
    options: Params, run_module: Any
) -> None:
    """Q09: the service and the option are named, and the value is not shown."""
    options["secret_environment"] = {"control": "of-nobody's-concern"}

    run = run_module(deployment, options)

    assert run.failed
    assert 'secret_environment of "control" is no mapping' in run.message
    assert "concern" not in run.message


def test_the_information_needs_an_engine_too(options: Params, run_module: Any) -> None:
    """K09: no engine is not the same as no containers."""
    run = run_module(deployment_info, options)

    assert run.failed
    assert "engine_socket" in run.message


@pytest.mark.parametrize(
    ("more", "word"),
    [
        ({"state": "absent", "wipe": True}, "confirm"),
        ({"state": "absent", "wipe": True, "confirm": "Demo"}, "confirm"),
        ({"wipe": True, "confirm": "demo"}, "state"),
    ],
)
def test_a_wipe_without_the_name_is_refused_before_anything_is_asked(
    options: Params, run_module: Any, more: Params, word: str
) -> None:
    """K07: the engine is not even reached."""
    run = run_module(deployment, {**options, **more})

    assert run.failed
    assert word in run.message
    assert "no.sock" not in run.message


def test_containers_of_another_program_are_never_made(
    options: Params, run_module: Any
) -> None:
    services = {"control": {"find": {"name": "control"}}}

    run = run_module(deployment, {**options, "managed": False, "services": services})

    assert run.failed
    assert "deployment_info" in run.message


def test_a_value_with_a_newline_is_refused_without_being_shown(
    options: Params, run_module: Any
) -> None:
    """D09, D10: the variable is named, its value is not."""
    run = run_module(
        deployment, {**options, "secret_environment": {"control": {"KEY": "can\nary"}}}
    )

    assert run.failed
    assert "KEY" in run.message
    assert "can\nary" not in str(run.result)


def test_a_file_for_an_entry_that_is_not_there_is_refused(
    options: Params, run_module: Any
) -> None:
    files = [{"entry": "nowhere", "name": "settings.json", "content": "{...}"}]

    run = run_module(deployment, {**options, "files": files})

    assert run.failed
    assert '"nowhere"' in run.message
