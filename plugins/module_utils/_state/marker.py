# Copyright: (c) 2026, The Agentkeep authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The file that says whose a deployment's directory is, and how it is laid out."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field, replace
from typing import Any, Mapping

from .._errors import InvalidInput, LayoutRefused
from .id_map import IdMap
from .identity import Identity

LAYOUT_VERSION = 1
MARKER_FILE = "layout.json"
LOCK_FILE = ".lock"
MARKER_LIMIT_BYTES = 16 * 1024 * 1024
ID_RULE = re.compile(r"[0-9a-f]{32}\Z")


@dataclass(frozen=True)
class Marker:
    """Hold the identity of a deployment, and whom its directories were made for.

    Agents that are gone are remembered: their directories still are.
    """

    deployment: str
    id: str = ""
    id_map: IdMap | None = None
    agents: Mapping[str, Identity] = field(default_factory=dict)
    components: Mapping[str, Identity] = field(default_factory=dict)

    @classmethod
    def from_content(
        cls, content: bytes | None, root: str, deployment: str
    ) -> Marker | None:
        """Return the marker that is in place; raise LayoutRefused on another's."""
        if content is None:
            return None
        found = _parsed(content, root)
        _check(found, root, deployment)
        identifier = str(found.get("id"))
        owners = found.get("owners")
        owners = owners if isinstance(owners, dict) else {}
        return cls(
            deployment=deployment,
            id=identifier if ID_RULE.match(identifier) else "",
            id_map=IdMap.from_output(found.get("id_map")),
            agents=_identities(owners.get("agents")),
            components=_identities(owners.get("components")),
        )

    def following(self, earlier: Marker | None) -> Marker:
        """Return the marker that takes the place of *earlier*."""
        if earlier is None:
            return self
        return replace(
            self,
            id=earlier.id or self.id,
            id_map=self.id_map or earlier.id_map,
            agents={**earlier.agents, **self.agents},
            components={**earlier.components, **self.components},
        )

    def for_output(self) -> dict[str, Any]:
        """Return everything but the id, which is chosen when it is written."""
        return {
            "layout_version": LAYOUT_VERSION,
            "deployment": self.deployment,
            "id_map": self.id_map.for_output() if self.id_map else None,
            "owners": {
                "agents": _shown(self.agents),
                "components": _shown(self.components),
            },
        }

    def content(self) -> bytes:
        """Return the content of the file."""
        return (json.dumps({**self.for_output(), "id": self.id}) + "\n").encode()


def _shown(identities: Mapping[str, Identity]) -> dict[str, str]:
    return {name: f"{one.uid}:{one.gid}" for name, one in sorted(identities.items())}


def _identities(declared: Any) -> dict[str, Identity]:
    found = {}
    for name, owner in declared.items() if isinstance(declared, dict) else ():
        uid, _colon, gid = str(owner).partition(":")
        try:
            found[name] = Identity.from_params(name, {"uid": uid, "gid": gid})
        except InvalidInput:
            continue
    return found


def _check(marker: dict[str, Any], root: str, deployment: str) -> None:
    version, owner = marker.get("layout_version"), marker.get("deployment")
    if isinstance(version, bool) or not isinstance(version, int) or version < 1:
        raise _unreadable(root, f"layout_version is {version!r}")
    if version > LAYOUT_VERSION:
        raise LayoutRefused(
            f'Cannot lay out "{root}"',
            f"it has the layout version {version} and this collection knows versions "
            f"up to {LAYOUT_VERSION}",
            "Use the version of the collection that laid it out, or a newer one.",
        )
    if owner != deployment:
        raise LayoutRefused(
            f'Cannot lay out "{root}" for deployment "{deployment}"',
            f"its {MARKER_FILE} says that it belongs to deployment {owner!r}",
            "Set deployment or data_root to the right one, or move the directory away.",
        )


def _parsed(content: bytes, root: str) -> dict[str, Any]:
    try:
        marker = json.loads(content.decode("utf-8"))
    except ValueError as error:
        raise _unreadable(root, str(error)) from error
    if not isinstance(marker, dict):
        raise _unreadable(root, "it is not a JSON object")
    return marker


def _unreadable(root: str, why: str) -> LayoutRefused:
    return LayoutRefused(
        f'Cannot understand "{root}/{MARKER_FILE}"',
        why,
        "Move the file away after checking that the directory is this deployment's, "
        "then run again.",
    )
