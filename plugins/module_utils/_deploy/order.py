# Copyright: (c) 2026, The Agentkeep authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""In which order containers are stopped, and in which they are started."""

from __future__ import annotations

from typing import Iterable, Mapping

from .._containers.container import Container
from .._errors import InvalidInput
from .plan import Step


def start_waves(containers: Iterable[Container]) -> tuple[tuple[Container, ...], ...]:
    """Return the containers in waves, each after those that it needs (D06)."""
    left = sorted(containers, key=lambda one: one.name)
    waves = []
    while left:
        waiting = {one.component for one in left}
        ready = [
            one for one in left if not waiting & (set(one.needs) - {one.component})
        ]
        if not ready:
            raise InvalidInput(
                "Cannot order the containers of " + ", ".join(sorted(waiting)),
                "they need one another in a circle",
                "Remove one of their needs from services.",
            )
        waves.append(tuple(ready))
        left = [one for one in left if one not in ready]
    return tuple(waves)


def stop_sequence(
    steps: Iterable[Step], stop_orders: Mapping[str, int]
) -> tuple[tuple[Step, ...], ...]:
    """Return the steps that stop a container in groups, lower orders first (K14)."""
    groups: dict[int, list[Step]] = {}
    last = max(stop_orders.values(), default=0) + 1
    for step in steps:
        order = (
            step.container.stop_order
            if step.container
            else stop_orders.get(step.component, last)
        )
        groups.setdefault(order, []).append(step)
    return tuple(tuple(groups[order]) for order in sorted(groups))
