# Copyright: (c) 2026, The Agentkeep authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What must hold before anything is changed."""

from __future__ import annotations

from .._errors import DeploymentRefused, ForeignContainer
from .decide import Verdict
from .plan import FOREIGN
from .reading import Reading
from .wanted import UNKNOWN_IMAGE, Wanted


def demand_ours(verdict: Verdict) -> None:
    """Raise ForeignContainer if a container of our name is not ours (K12)."""
    foreign = [one.name for one in verdict.decision.of(FOREIGN)]
    if foreign:
        raise ForeignContainer(
            "Cannot use the name " + ", ".join(f'"{name}"' for name in foreign),
            "a container has it that does not belong to this deployment",
            "Rename or remove that container, or choose another name for the "
            "deployment; it was not touched.",
        )


def demand_possible(reading: Reading, wanted: Wanted, verdict: Verdict) -> None:
    """Raise an error that says why the verdict cannot be carried out, if so."""
    demand_ours(verdict)
    for one in verdict.containers:
        if (one.image_id or "").startswith(UNKNOWN_IMAGE):
            raise DeploymentRefused(
                f'Cannot start "{one.service}"',
                f"the image {one.image} is not on this host",
                "Run the role agentkeep.agents.image first, or set the image of "
                f'"{one.component}" in services to one that is.',
            )
    faults = [
        f"{step.service}: {fault.subject} is {fault.old}, not {fault.new} "
        f"({fault.kind})"
        for step in verdict.decision.steps
        for fault in step.faults_of_layout
    ]
    if faults:
        raise DeploymentRefused(
            f'Cannot deploy "{wanted.deployment.name}"',
            "; ".join(faults),
            "Run agentkeep.agents.state_layout, which puts directories, owners and "
            "modes right; set repair: true for what lies in them.",
        )
