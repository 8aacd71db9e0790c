# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""What earlier systems used is named once, with what took its place."""

from __future__ import annotations

import pytest
from ansible_collections.agentkeep.agents.plugins.module_utils._deploy.legacy import (
    Legacy,
    Sighting,
    legacy_warnings,
)
from ansible_collections.agentkeep.agents.plugins.module_utils._errors import (
    InvalidInput,
)

LEGACY = Legacy(
    environment={"SESSIONS_DIR": 'the entry "memory"'},
    targets={"/data/sessions": 'the entry "memory"'},
)
SIGHTINGS = [
    Sighting("services.agent", variables=("HOME", "SESSIONS_DIR")),
    Sighting("environment/agent-main.env", variables=("SESSIONS_DIR",)),
    Sighting('the container of "agent-main"', targets=("/data/sessions",)),
]


def test_a_removed_variable_gives_one_warning_that_names_the_replacement() -> None:
    """D14: wherever it is found, and however often."""
    (mount, variable) = legacy_warnings(LEGACY, SIGHTINGS)

    assert 'variable "SESSIONS_DIR"' in variable
    assert "services.agent, environment/agent-main.env" in variable
    assert 'use the entry "memory" instead' in variable
    assert 'mount at "/data/sessions"' in mount  # D15


def test_a_removed_variable_is_never_rendered() -> None:
    """D14: neither its name nor its value reaches a container."""
    assert LEGACY.without({"SESSIONS_DIR": "/x", "HOME": "/tmp"}) == {"HOME": "/tmp"}


def test_a_removed_variable_is_an_error_where_that_is_asked_for() -> None:
    """D14: the option makes it one."""
    strict = Legacy(environment=LEGACY.environment, refused=True)

    with pytest.raises(InvalidInput, match="SESSIONS_DIR"):
        legacy_warnings(strict, SIGHTINGS)


def test_nothing_is_said_where_nothing_is_found() -> None:
    assert legacy_warnings(LEGACY, [Sighting("services.agent", ("HOME",))]) == ()
