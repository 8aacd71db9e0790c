# Copyright: (c) 2026, The Agentkeep authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A declared deployment, with what its host and its engine know of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Mapping

from .._files.root import open_tree
from .._state.deployment import Deployment
from .._state.id_map import IdMap
from .._state.marker import MARKER_FILE, MARKER_LIMIT_BYTES, Marker
from .._state.options import DEFAULT_SOCKET
from .mapping import read_id_map


@dataclass(frozen=True)
class OnHost:
    """Hold a deployment, its marker if it is laid out, and whether its ids are known.

    Where neither an option nor the engine nor the marker has a map of ids, the
    deployment has the one that changes nothing, and ``ids_known`` is false.
    """

    deployment: Deployment
    marker: Marker | None
    ids_known: bool


def deployment_on_host(params: Mapping[str, Any]) -> OnHost:
    """Given the options of a module, return the deployment as this host has it."""
    deployment = Deployment.from_params(params)
    marker = _marker_of(deployment) if deployment.managed else None
    id_map = _id_map(deployment, marker, str(params.get("engine_socket") or ""))
    if id_map is not None:
        deployment = deployment.with_id_map(id_map)
    return OnHost(deployment=deployment, marker=marker, ids_known=id_map is not None)


def _id_map(
    deployment: Deployment, marker: Marker | None, socket_path: str
) -> IdMap | None:
    if deployment.uid_offset is not None:
        return deployment.id_map
    found = read_id_map(socket_path or DEFAULT_SOCKET)
    return found or (marker.id_map if marker else None)


def _marker_of(deployment: Deployment) -> Marker | None:
    tree, _missing = open_tree(deployment.data_root)
    if tree is None:
        return None
    with tree:
        path = f"{deployment.name}/{MARKER_FILE}"
        content = tree.read(path, MARKER_LIMIT_BYTES)
    root = f"{deployment.data_root}/{deployment.name}"
    return Marker.from_content(content, root, deployment.name)
