# Copyright: (c) 2026, The Agentkeep authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options of what is asked about usage."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Mapping

from .._argument_spec import ArgumentSpec
from .._errors import InvalidInput
from .._state.deployment import Deployment
from .limits import NAMES, Limits
from .places import Areas, areas_of, places_of
from .values import Place


def usage_spec() -> ArgumentSpec:
    """Return the options of what is asked about usage."""
    return ArgumentSpec(
        options={
            "agent": {"type": "str"},
            "services": {"type": "dict", "default": {}},
            "scan_timeout_seconds": {"type": "int", "default": 120},
            **{name: {"type": "int"} for name in NAMES},
        },
        mutually_exclusive=(
            ("agent", "total_warn_bytes"),
            ("agent", "total_limit_bytes"),
        ),
    )


@dataclass(frozen=True)
class Asked:
    """Hold which places are counted, into which areas, for how long, and the limits."""

    places: tuple[Place, ...]
    areas: Areas
    limits: Limits
    seconds: float
    data_root: str
    managed: bool

    @classmethod
    def from_params(cls, params: Mapping[str, Any], deployment: Deployment) -> Asked:
        """Given the options, return what is counted; raise InvalidInput."""
        if params["scan_timeout_seconds"] < 1:
            raise InvalidInput(
                f"Cannot count for {params['scan_timeout_seconds']} seconds",
                "nothing would be counted",
                "Set scan_timeout_seconds to a number above 0, or leave it out.",
            )
        agent = params["agent"]
        known = sorted(one.name for one in deployment.agents)
        if agent is not None and agent not in known:
            raise InvalidInput(
                f'Cannot count what agent "{agent}" takes',
                f"the declared agents are {', '.join(known) or 'none'}",
                "Set agent to one of them, or declare it in agents.",
            )
        every = places_of(deployment)
        return cls(
            places=tuple(one for one in every if agent in (None, one.agent)),
            areas=areas_of(deployment, every, params["services"]),
            limits=Limits.from_params(params),
            seconds=params["scan_timeout_seconds"],
            data_root=deployment.data_root,
            managed=deployment.managed,
        )
