# Copyright: (c) 2026, The Agentkeep authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The file that says whose a deployment's directory is, and how it is laid out."""

from __future__ import annotations

import json
from typing import Any

from .._errors import LayoutRefused

LAYOUT_VERSION = 1
MARKER_FILE = "layout.json"
LOCK_FILE = ".lock"
MARKER_LIMIT_BYTES = 65536


def marker_text(deployment: str) -> str:
    """Return the content of the marker of *deployment*."""
    return (
        json.dumps({"layout_version": LAYOUT_VERSION, "deployment": deployment}) + "\n"
    )


def marker_agrees(content: bytes | None, root: str, deployment: str) -> bool:
    """Return whether the marker is in place; raise LayoutRefused on another's."""
    if content is None:
        return False
    marker = _parsed(content, root)
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
    return True


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
