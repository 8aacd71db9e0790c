# Copyright: (c) 2026, The Agentkeep authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where a container sees an entry of the state inventory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Mapping

from .names import absolute_fault, name_fault

ACCESS = ("ro", "rw")
KEYS = ("component", "target", "access")


@dataclass(frozen=True)
class Mount:
    """Hold the component that sees an entry, the path it has there, and how."""

    component: str
    target: str
    access: str

    @classmethod
    def from_params(cls, params: Any) -> Mount:
        """Given a mount as declared, return it; raise ValueError with its fault."""
        if not isinstance(params, Mapping):
            raise ValueError(f"a mount is {params!r}, not a mapping")
        unknown = sorted(str(key) for key in set(params) - set(KEYS))
        if unknown:
            raise ValueError(f'a mount has the unknown key "{unknown[0]}"')
        missing = [key for key in KEYS if params.get(key) is None]
        if missing:
            raise ValueError(f'a mount has no "{missing[0]}"')
        if name_fault(params["component"]) or params["component"] == "root":
            raise ValueError(f"a mount has the component {params['component']!r}")
        if params["access"] not in ACCESS:
            raise ValueError(f"a mount has the access {params['access']!r}")
        fault = absolute_fault(params["target"])
        if fault:
            raise ValueError(f"a mount has a target that cannot be used, {fault}")
        return cls(
            component=params["component"],
            target=params["target"],
            access=params["access"],
        )

    def for_output(self) -> dict[str, str]:
        """Return the mount as it is declared."""
        return {
            "component": self.component,
            "target": self.target,
            "access": self.access,
        }
