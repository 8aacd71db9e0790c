# Copyright: (c) 2026, The Agentkeep authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What earlier systems used and this one does not, found and named."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Iterable, Mapping

from .._errors import InvalidInput


@dataclass(frozen=True)
class Legacy:
    """Hold the variables and mounts that are gone, with what took their place."""

    environment: Mapping[str, str] = field(default_factory=dict)
    targets: Mapping[str, str] = field(default_factory=dict)
    refused: bool = False

    @classmethod
    def from_params(cls, params: Mapping[str, Any]) -> Legacy:
        """Given the options of a module, return what is gone."""
        declared = params.get("legacy") or {}
        return cls(
            environment=dict(declared.get("environment") or {}),
            targets=dict(declared.get("targets") or {}),
            refused=bool(params.get("legacy_refused")),
        )

    def without(self, environment: Mapping[str, Any]) -> dict[str, Any]:
        """Return the variables but those that are gone: they are never rendered."""
        return {
            name: value
            for name, value in environment.items()
            if name not in self.environment
        }


@dataclass(frozen=True)
class Sighting:
    """Hold a place that was looked at: what it sets, and what it mounts."""

    where: str
    variables: tuple[str, ...] = ()
    targets: tuple[str, ...] = ()


def legacy_warnings(legacy: Legacy, sightings: Iterable[Sighting]) -> tuple[str, ...]:
    """Return one warning for each that is still found (D14, D15); never a value.

    Raise InvalidInput instead, if that is asked for.
    """
    places: dict[tuple[str, str], list[str]] = {}
    for one in sightings:
        for name in one.variables:
            if name in legacy.environment:
                places.setdefault(("variable", name), []).append(one.where)
        for target in one.targets:
            if target in legacy.targets:
                places.setdefault(("mount at", target), []).append(one.where)
    warnings = []
    for (kind, name), where in sorted(places.items()):
        gone = legacy.environment if kind == "variable" else legacy.targets
        found = f'The {kind} "{name}", found in {", ".join(dict.fromkeys(where))},'
        warnings.append(f"{found} is not used any more; use {gone[name]} instead.")
    if warnings and legacy.refused:
        raise InvalidInput(
            "Cannot use what earlier systems used",
            " ".join(warnings),
            "Remove it, or set legacy_refused to false.",
        )
    return tuple(warnings)
