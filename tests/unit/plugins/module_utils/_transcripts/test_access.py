# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Whether a container's user may read, append to and search what is on the host."""

from __future__ import annotations

import pytest
from ansible_collections.agentkeep.agents.plugins.module_utils._state.identity import (
    Identity,
)
from ansible_collections.agentkeep.agents.plugins.module_utils._transcripts import (
    access,
)

AGENT = Identity(uid=20101, gid=20102)


@pytest.mark.parametrize(
    ("uid", "gid", "mode", "allowed"),
    [
        (20101, 0, 0o600, {access.READ, access.APPEND}),
        (20101, 0, 0o400, {access.READ}),
        (20101, 0, 0o700, {access.READ, access.APPEND, access.SEARCH}),
        (20101, 20102, 0o077, set()),
        (0, 20102, 0o640, {access.READ}),
        (0, 20102, 0o607, set()),
        (0, 0, 0o600, set()),
        (0, 0, 0o604, {access.READ}),
        (0, 0, 0o755, {access.READ, access.SEARCH}),
    ],
)
def test_the_first_of_owner_group_and_others_that_fits_decides(
    uid: int, gid: int, mode: int, allowed: set[int]
) -> None:
    found = access.Permissions(uid, gid, mode)

    assert {
        what
        for what in (access.READ, access.APPEND, access.SEARCH)
        if access.may(AGENT, found, what)
    } == (allowed)


@pytest.mark.parametrize("identity", [None, Identity(uid=0, gid=0)])
def test_nothing_is_held_against_root_and_against_a_user_that_nobody_declared(
    identity: Identity | None,
) -> None:
    assert access.may(identity, access.Permissions(5, 5, 0), access.READ)
