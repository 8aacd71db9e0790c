# Copyright: (c) 2026, The Agentkeep authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the modules deployment and deployment_info return."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from .._plan import NOTHING, Plan
from .decide import Verdict, before_and_after
from .plan import CREATED, RECREATED, STARTED, UNCHANGED, Decision
from .reading import Reading
from .wanted import PREVIOUS, Wanted

CHANGE = "change"


def plan_of(verdict: Verdict, reading: Reading, wanted: Wanted) -> Plan:
    """Return what the module deployment is about to do."""
    before, after = before_and_after(verdict)
    return Plan(
        action=CHANGE if verdict.changes else NOTHING,
        changed=verdict.changes,
        before=before,
        after=after,
        output=output_of(verdict, reading, wanted),
    )


def output_of(verdict: Verdict, reading: Reading, wanted: Wanted) -> dict[str, Any]:
    """Return the result of the module deployment."""
    back = wanted.state == PREVIOUS
    release = verdict.release.id if verdict.release else None
    return {
        "root": wanted.root,
        "id": reading.id,
        "release": release,
        **verdict.decision.lists(),
        "containers": _containers(verdict.decision, verdict.verified),
        "files": [step.for_output() for step in verdict.files],
        "wiped": {kind: list(names) for kind, names in verdict.wiped.items()},
        "restored": {"release": release, "why": "state is previous"} if back else None,
        "warnings": list(verdict.warnings),
    }


def information_of(
    verdict: Verdict, reading: Reading, wanted: Wanted
) -> dict[str, Any]:
    """Return the result of the module deployment_info."""
    steps = verdict.decision.steps
    return {
        "root": wanted.root,
        "id": reading.id,
        "release": reading.index.current,
        "releases": list(reading.index.kept()),
        "drifted": sorted(
            one.service for one in steps if one.reasons or one.action != UNCHANGED
        ),
        "interrupted": reading.journal is not None,
        "containers": _containers(verdict.decision, None),
        "files": [step.for_output() for step in verdict.files],
        "warnings": list(verdict.warnings),
    }


def _containers(decision: Decision, verified: Decision | None) -> list[dict[str, Any]]:
    now = {one.name: one.observed for one in verified.steps} if verified else {}
    return [
        replace(step, observed=now.get(step.name, step.observed)).for_output()
        if step.action in (CREATED, RECREATED, STARTED)
        else step.for_output()
        for step in decision.steps
    ]
