# Copyright: (c) 2026, The Agentkeep authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module deployment: read, plan and apply."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Mapping

from .._deploy.decide import Verdict, decide, decide_previous
from .._deploy.demands import demand_ours
from .._deploy.output import information_of, plan_of
from .._deploy.reading import Reading
from .._deploy.wanted import ABSENT, PREVIOUS, Wanted
from .._engine.engine import connect
from .._errors import DeploymentRefused
from .._plan import Plan
from .declared import declared
from .read import read_all


@dataclass(frozen=True)
class Read:
    """Hold what was read, and what is decided from it."""

    reading: Reading
    verdict: Verdict


def wanted(params: Mapping[str, Any]) -> Wanted:
    """Given the options, return what they ask for."""
    found = declared(params)
    if not found.deployment.managed:
        raise DeploymentRefused(
            f'Cannot deploy "{found.deployment.name}"',
            "managed is false: another program makes its containers",
            "Read them with agentkeep.agents.deployment_info, or set managed to true.",
        )
    return found


def read(wanted: Wanted) -> Read:
    """Return what the host and the engine have of the deployment."""
    engine = connect(wanted.engine_socket, wanted.waits.engine)
    reading = read_all(wanted, engine)
    if wanted.state == ABSENT:
        from .removal import removal_of

        return Read(reading, removal_of(wanted, engine, reading))
    if wanted.state == PREVIOUS:
        return Read(reading, decide_previous(reading, wanted))
    return Read(reading, decide(reading, wanted))


def plan(found: Read | None, wanted: Wanted) -> Plan:
    """Return what is about to be done; raise ForeignContainer."""
    if found is None:
        raise DeploymentRefused("Cannot plan", "nothing was read", "Run again.")
    demand_ours(found.verdict)
    return plan_of(found.verdict, found.reading, wanted)


def apply(_plan: Plan, wanted: Wanted) -> Plan:
    """Take the lock, read again, and do what is to be done."""
    # Most runs change nothing, and need none of this.
    from .present import bring_up
    from .previous import go_back
    from .removal import take_away
    from .workshop import workshop

    carry_out = {ABSENT: take_away, PREVIOUS: go_back}.get(wanted.state, bring_up)
    with workshop(wanted) as shop:
        reading = shop.read()
        return plan_of(carry_out(shop), reading, wanted)


def information(params: Mapping[str, Any]) -> Mapping[str, Any]:
    """Given the options, return how what runs differs from what is declared."""
    found = declared(params)
    engine = connect(found.engine_socket, found.waits.engine)
    reading = read_all(found, engine)
    return information_of(decide(reading, found), reading, found)
