# Copyright: (c) 2026, The Agentkeep authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where the entries of a deployment lie, as templates of their paths and names."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, Mapping

from .._errors import InvalidInput
from .names import relative_fault, volume_fault
from .template import filled, placeholders, plain

REMEDY = "Correct places, or the names of the agent."


@dataclass(frozen=True)
class Places:
    """Hold the templates of paths below the data root and of the engine's volumes."""

    agent: str = "{deployment}/agents/{agent}/{source}"
    deployment: str = "{deployment}/shared/{source}"
    agent_volume: str = "agentkeep-{deployment}-{agent}-{volume}"
    deployment_volume: str = "agentkeep-{deployment}-{volume}"

    @classmethod
    def from_params(cls, params: Mapping[str, Any] | None) -> Places:
        """Given the templates that differ from ours, return all; raise InvalidInput."""
        known = [field.name for field in fields(cls)]
        given = {key: one for key, one in (params or {}).items() if one is not None}
        for key, template in given.items():
            if key not in known:
                raise _refused(str(key), "there is no such place", _CHOICES)
            _check(key, template)
        return cls(**given)

    def path(self, scope: str, source: str, values: Mapping[str, str]) -> str:
        """Return the path of a source below the data root; raise InvalidInput."""
        template = self.agent if scope == "agent" else self.deployment
        path = _filled(f"places.{scope}", template, source, values)
        fault = relative_fault(path)
        if fault:
            raise _refused(scope, f"its path {fault}", REMEDY)
        return path

    def volume(self, scope: str, volume: str, values: Mapping[str, str]) -> str:
        """Return the name that the engine knows a volume by; raise InvalidInput."""
        template = self.agent_volume if scope == "agent" else self.deployment_volume
        name = _filled(f"places.{scope}_volume", template, volume, values)
        fault = volume_fault(name)
        if fault:
            raise _refused(f"{scope}_volume", f"its name {fault}", REMEDY)
        return name


DEFAULT_PLACES = Places()
_CHOICES = "Choose one of " + ", ".join(field.name for field in fields(Places)) + "."


def _filled(label: str, template: str, what: str, values: Mapping[str, str]) -> str:
    try:
        held = filled(what, values)
        return filled(template, {**values, "source": held, "volume": held})
    except KeyError as error:
        word = error.args[0]
        agent = values.get("agent")
        owner = f'of agent "{agent}" ' if agent else ""
        raise InvalidInput(
            f'Cannot find the place of "{what}" {owner}in {label}',
            f'"{{{word}}}" has no value',
            f'Set "{word}" in the names of the agent.'
            if agent
            else f'Remove "{{{word}}}" from the place or from the source.',
        ) from error


def _check(key: str, template: Any) -> None:
    wanted = "volume" if key.endswith("_volume") else "source"
    fault = volume_fault if wanted == "volume" else relative_fault
    why = fault(plain(template))
    if why is None and wanted not in placeholders(template):
        why = f'"{template}" does not hold "{{{wanted}}}"'
    if why:
        raise _refused(
            key, why, f'Write a template such as "{getattr(Places, key, "")}".'
        )


def _refused(key: str, why: str, remedy: str) -> InvalidInput:
    return InvalidInput(f'Cannot use "{key}" of places', why, remedy)
