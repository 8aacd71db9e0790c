# Copyright: (c) 2026, The Agentkeep authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who owns a directory, by role or by number."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Union

from .names import HIGHEST_ID, name_fault

FIXED = ("agent", "root")
NUMBERS = re.compile(r"([0-9]{1,10}):([0-9]{1,10})\Z")

Holder = Union[str, int]


@dataclass(frozen=True)
class Owner:
    """Hold a user and a group: each a number, "agent", "root" or a component."""

    user: Holder
    group: Holder

    @classmethod
    def from_params(cls, owner: Any, group: Any = None) -> Owner:
        """Given *owner* and *group* as declared, return both; raise ValueError."""
        if isinstance(owner, str) and _is_role(owner):
            user: Holder = owner
            own_group: Holder = owner
        else:
            user, own_group = _numbers(owner)
        if group is None:
            return cls(user=user, group=own_group)
        return cls(user=user, group=_group(group))

    @property
    def components(self) -> list[str]:
        """Return the names of the components that the owner is."""
        return [
            one
            for one in (self.user, self.group)
            if isinstance(one, str) and one not in FIXED
        ]

    @property
    def needs_agent(self) -> bool:
        """Return whether the owner differs from agent to agent."""
        return "agent" in (self.user, self.group)

    def for_output(self) -> str:
        """Return the owner as one reads it."""
        return f"{self.user}:{self.group}"


def _is_role(owner: Any) -> bool:
    return isinstance(owner, str) and not owner.isdigit() and name_fault(owner) is None


def _numbers(owner: Any) -> tuple[int, int]:
    found = NUMBERS.match(owner) if isinstance(owner, str) else None
    if found is None:
        raise ValueError(f"owner is {owner!r}")
    user, group = int(found.group(1)), int(found.group(2))
    if max(user, group) > HIGHEST_ID:
        raise ValueError(f"owner is {owner!r}")
    return user, group


def _group(group: Any) -> Holder:
    if isinstance(group, str) and _is_role(group):
        return group
    number = _number(group)
    if number is None or not 0 <= number <= HIGHEST_ID:
        raise ValueError(f"group is {group!r}")
    return number


def _number(group: Any) -> int | None:
    if isinstance(group, str) and group.isascii() and group.isdigit():
        return int(group)
    if isinstance(group, int) and not isinstance(group, bool):
        return group
    return None
