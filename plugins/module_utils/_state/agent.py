# Copyright: (c) 2026, The Agentkeep authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One agent of a deployment."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Mapping

from .._errors import InvalidInput
from .identity import Identity
from .names import name_fault, part_fault
from .template import RESERVED, is_placeholder


@dataclass(frozen=True)
class Agent:
    """Hold an agent: its identity, whether it runs, and what its places are named by.

    ``names`` are the values of the placeholders that only its system knows; ``service``
    is what its container has that the other agents' containers have not.
    """

    name: str
    identity: Identity
    enabled: bool = True
    lazy: bool = False
    names: Mapping[str, str] = field(default_factory=dict)
    service: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def from_params(cls, params: Any) -> Agent:
        """Given an agent as declared, return it; raise InvalidInput."""
        name: Any = params.get("name") if isinstance(params, Mapping) else params
        fault = name_fault(name)
        if fault:
            raise InvalidInput(
                "Cannot use an agent",
                f"its name {fault}",
                'Give it a short name such as "main".',
            )
        return cls(
            name=str(name),
            identity=Identity.from_params(f'agent "{name}"', params),
            enabled=_flag(name, "enabled", params.get("enabled"), True),
            lazy=_flag(name, "lazy", params.get("lazy"), False),
            names=_names(name, params.get("names") or {}),
            service=_mapping(name, "service", params.get("service") or {}),
        )


def _flag(agent: str, key: str, value: Any, default: bool) -> bool:
    if value is None:
        return default
    if not isinstance(value, bool):
        raise _refused(agent, f"{key} is {value!r}", "Write true or false.")
    return value


def _mapping(agent: str, key: str, value: Any) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise _refused(agent, f"{key} is {value!r}", "Write a mapping.")
    return dict(value)


def _names(agent: str, declared: Any) -> Mapping[str, str]:
    names = _mapping(agent, "names", declared)
    for key, value in names.items():
        if not is_placeholder(key) or key in RESERVED:
            raise _refused(
                agent,
                f"names has the key {key!r}",
                "Use words of lower-case letters, digits and underscores other than "
                f"{', '.join(sorted(RESERVED))}.",
            )
        fault = part_fault(value)
        if fault:
            raise _refused(
                agent,
                f"the name {key} is {fault}",
                "Write it as the one part of a path that it stands for.",
            )
    return {str(key): str(value) for key, value in names.items()}


def _refused(agent: str, why: str, remedy: str) -> InvalidInput:
    return InvalidInput(f'Cannot use agent "{agent}"', why, remedy)
