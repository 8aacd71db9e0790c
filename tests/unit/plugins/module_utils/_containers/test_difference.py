# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""A difference says what is and what must be, and never the value of a secret."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.agentkeep.agents.plugins.module_utils._containers import (
    compare,
    container,
)

Container = container.Container
differences = compare.differences
SECRETS = ["API_TOKEN=other-canary", "STRAY=other-canary", "STRAY_KEY=other-canary"]


@pytest.mark.parametrize("line", SECRETS)
def test_no_secret_is_in_a_reason(
    line: str, one: Container, seen: Any, record: Any
) -> None:
    """K05: reasons have field, old and new; values of secrets are masked."""
    found = record("made_by_docker")
    found["Config"]["Env"].append(line)

    (reason,) = differences(one, seen(found))

    assert "canary" not in str(reason.for_output())
    assert reason.for_output()["field"] == "environment"


def test_a_declared_variable_that_sounds_secret_is_masked(
    one: Container, seen: Any, record: Any
) -> None:
    """K05: a token under environment is masked all the same."""
    found = record("made_by_docker")

    reasons = differences(replace(one, environment={"MY_KEY": "canary"}), seen(found))

    assert "canary" not in str([reason.for_output() for reason in reasons])


def test_another_programs_container_is_compared_in_what_is_declared(
    one: Container, seen: Any, record: Any
) -> None:
    """K03: what is not declared is not looked at there, but mounts are, both ways."""
    bare = Container(
        name=one.name,
        service=one.service,
        component="agent",
        user=one.user,
        mounts=one.mounts,
        managed=False,
    )
    found = record("made_by_docker")

    assert differences(bare, seen(found)) == ()
    found["Mounts"].append(
        {"Type": "bind", "Source": "/etc", "Destination": "/x", "RW": True}
    )
    assert [fault.subject for fault in differences(bare, seen(found))] == ["/x"]


USERS = [
    ("", False),
    ("node", False),
    ("20101", False),
    ("20101:20101", False),
    ("1000", True),
    ("0:0", True),
    ("20101:0", True),
]


@pytest.mark.parametrize(("user", "differs"), USERS)
def test_another_programs_user_may_be_a_name(
    user: str, differs: bool, one: Container, seen: Any, record: Any
) -> None:
    """A12: a name says nothing here; another number is another user."""
    found = record("made_by_docker")
    found["Config"]["User"] = user
    theirs = Container(name=one.name, user=one.user, mounts=one.mounts, managed=False)

    assert bool(differences(theirs, seen(found))) is differs
