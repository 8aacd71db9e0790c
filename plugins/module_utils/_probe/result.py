# Copyright: (c) 2026, The Agentkeep authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a probe found inside one container, and what that leads to."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Callable, Mapping, Sequence

from .._containers.container import Container
from .fault import Fault, at_risk
from .found import Running
from .task import Task


@dataclass(frozen=True)
class Probed:
    """Hold what was found in one container."""

    container: Container
    running: Running
    uid: int | None = None
    gid: int | None = None
    task: Task = field(default_factory=Task)
    faults: tuple[Fault, ...] = ()
    more: int = 0
    transcripts: Mapping[str, int] = field(default_factory=dict)
    seconds: float = 0.0

    def for_output(self) -> dict[str, Any]:
        """Return it for the module's result."""
        return {
            "service": self.container.service,
            "component": self.container.component,
            "agent": self.container.agent,
            "container": self.running.id[:12],
            "state": self.running.status,
            "uid": self.uid,
            "gid": self.gid,
            "written": [place.path for place in self.task.places],
            "temporary": self.task.temporary,
            "transcripts": dict(self.transcripts),
            "faults": [fault.for_output() for fault in self.faults],
            "faults_left_out": self.more,
            "duration_ms": round(self.seconds * 1000),
        }


def confirmed(
    found: Sequence[Probed], kept: Callable[[str, str], bool]
) -> tuple[Probed, ...]:
    """Return what was found without conversations that changed meanwhile.

    *kept* says whether a conversation must still have a session on disk.
    """

    def stands(fault: Fault) -> bool:
        if fault.step not in ("missing", "empty"):
            return True
        if fault.conversation is None or fault.session is None:
            return True
        return kept(fault.conversation, fault.session)

    return tuple(
        replace(one, faults=tuple(fault for fault in one.faults if stands(fault)))
        for one in found
    )


def demand_none(deployment: str, policy: str, found: Sequence[Probed]) -> None:
    """Raise StateAtRisk with every fault, if there is one that the policy names."""
    faults = [fault for one in found for fault in one.faults]
    fails = {
        "fail": bool(faults),
        "warn_of_lost": not all(fault.is_loss for fault in faults),
        "report": False,
    }
    if fails[policy]:
        raise at_risk(deployment, faults, sum(one.more for one in found))


def losses_of(found: Sequence[Probed]) -> tuple[str, ...]:
    """Return a warning for each transcript that is gone."""
    return tuple(
        f"{fault.text}. {fault.remedy}"
        for one in found
        for fault in one.faults
        if fault.is_loss
    )
