# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Who is lost by what one observer saw, whatever the clocks of others say."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from agentd.database.hosts import Host
from agentd.hosts.sightings import Sightings

LOST_SECONDS = 30.0
GAP = 15.0


def host(seen_at: float, instance: str = "one") -> Host:
    return Host("b", instance, started_at=0.0, seen_at=seen_at)


@dataclass(frozen=True)
class Row:
    what: str
    looks: tuple[tuple[float, Host], ...]
    lost: bool


STEADY = tuple((float(at), host(0.0)) for at in range(0, 31, 5))
ROWS = [
    Row("it was never seen to change", STEADY, True),
    Row("not for long enough", STEADY[:-1], False),
    Row("it changed", (*STEADY[:-1], (30.0, host(1.0))), False),
    Row("its clock went back", (*STEADY[:-1], (30.0, host(-5.0))), False),
    Row("another process of it", (*STEADY[:-1], (30.0, host(0.0, "two"))), False),
    Row("nobody could look meanwhile", (STEADY[0], (40.0, host(0.0))), False),
    Row("it came back", (*STEADY, (35.0, host(9.0))), False),
]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: str(row.what))
def test_a_host_is_lost_that_did_not_change_while_it_was_watched(row: Row) -> None:
    seen = Sightings()

    for at, one in row.looks:
        seen = seen.look({"b": one}, at, GAP)

    assert (seen.lost(LOST_SECONDS) == {"b"}) is row.lost


def test_nobody_is_lost_while_the_database_is_away() -> None:
    seen = Sightings()
    for at, one in STEADY:
        seen = seen.look({"b": one}, at, GAP)

    away = seen.broken()

    assert away.lost(LOST_SECONDS) == frozenset()
    assert away.look({"b": host(0.0)}, 31.0, GAP).lost(LOST_SECONDS) == frozenset()
