# Copyright: (c) 2026, The Agentkeep authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Argument specifications that can be merged."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Mapping, Tuple

Names = Tuple[str, ...]


@dataclass(frozen=True)
class ArgumentSpec:
    """Hold the options of a module and the rules between them."""

    options: Mapping[str, Any]
    mutually_exclusive: tuple[Names, ...] = ()
    required_by: Mapping[str, Names] = field(default_factory=dict)

    def merge(self, other: ArgumentSpec) -> ArgumentSpec:
        """Return both together; raise ValueError if an option stands in both."""
        twice = sorted(set(self.options) & set(other.options))
        if twice:
            raise ValueError(f"Options declared twice: {', '.join(twice)}")
        return ArgumentSpec(
            options={**self.options, **other.options},
            mutually_exclusive=self.mutually_exclusive + other.mutually_exclusive,
            required_by={**self.required_by, **other.required_by},
        )

    def without_demands(self, *names: str) -> ArgumentSpec:
        """Return the same with these options not required."""
        return replace(
            self,
            options={
                name: {key: value for key, value in option.items() if key != "required"}
                if name in names
                else option
                for name, option in self.options.items()
            },
        )

    def to_kwargs(self) -> dict[str, Any]:
        """Return the keyword arguments that AnsibleModule takes."""
        return {
            "argument_spec": dict(self.options),
            "mutually_exclusive": [list(names) for names in self.mutually_exclusive],
            "required_by": {
                key: list(names) for key, names in self.required_by.items()
            },
        }
