# Copyright: (c) 2026, The Agentkeep authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A layout on the host's file system: what is there of it, and how it is put there."""

from __future__ import annotations

import uuid
from dataclasses import replace

from .._errors import LayoutRefused
from .._files.descent import Status
from .._files.root import make_tree, open_tree
from .._files.tree import Tree
from .._files.trust import is_trusted
from .._plan import Plan
from .._state.layout import PASSAGE_MODE, Layout
from .._state.marker import LOCK_FILE, MARKER_FILE, MARKER_LIMIT_BYTES, Marker
from .._state.plan import MARKER_MODE, ROOT_MODE, Change, Found, Reading, plan_layout
from .._state.succession import stale_groups


def read(layout: Layout) -> Reading:
    """Given a layout, return what the host has of it."""
    tree, missing = open_tree(layout.data_root, layout.managed)
    if tree is None:
        return Reading(missing=missing)
    with tree:
        return _read(tree, layout)


def apply(plan: Plan, layout: Layout) -> Plan:
    """Given the plan, take the lock, plan again and carry that out."""
    _demand_possible(layout)
    layout = replace(layout, marker=replace(layout.marker, id=uuid.uuid4().hex))
    with make_tree(layout.data_root, ROOT_MODE) as tree:
        before = _own(tree, layout)
        lock = f"{layout.deployment}/{LOCK_FILE}"
        with tree.locked(lock, layout.lock_wait_seconds):
            reading = _read(tree, layout).with_made(plan, layout, before)
            plan = plan_layout(reading, layout)
            for change in plan.steps:
                _carry_out(tree, change, layout, reading)
    return plan


def _own(tree: Tree, layout: Layout) -> Found | None:
    """Have the deployment's directory, as root's, before what it holds is trusted.

    Return what a directory of somebody else was before.
    """
    found = tree.status(layout.deployment)
    if found is not None and is_trusted(found.uid):
        return None
    tree.put(layout.deployment, Status(uid=0, gid=0, mode=PASSAGE_MODE))
    return None if found is None else Found(found.uid, found.gid, found.mode)


def _demand_possible(layout: Layout) -> None:
    if not layout.managed:
        raise LayoutRefused(
            f'Cannot lay out deployment "{layout.deployment}"',
            "its directories are made by another program (managed is false)",
            "Run it in check mode to see what differs.",
        )
    if layout.marker.id_map is None:
        raise LayoutRefused(
            f'Cannot lay out "{layout.root}"',
            "no engine answers, so that the owners on the host are not known",
            "Run the role agentkeep.agents.host first, start the engine, set "
            "engine_socket to its socket, or set uid_offset (0 for an engine without "
            "user namespaces).",
        )


def _read(tree: Tree, layout: Layout) -> Reading:
    found: dict[str, Found] = {}
    for directory in layout.directories:
        status = tree.status(directory.path)
        if status is not None:
            found[directory.path] = Found(status.uid, status.gid, status.mode)
    marker = _marker_of(tree, layout)
    stale = stale_groups(marker, layout.marker)
    return Reading(
        found=found,
        marker=marker,
        stale=stale,
        foreign={
            top.path: tree.foreign(top.path, top.uid, layout.apart, stale)
            for top in layout.repaired
        },
    )


def _marker_of(tree: Tree, layout: Layout) -> Marker | None:
    if not layout.managed:
        return None
    path = f"{layout.deployment}/{MARKER_FILE}"
    content = tree.read(path, MARKER_LIMIT_BYTES)
    return Marker.from_content(content, layout.root, layout.deployment)


def _carry_out(tree: Tree, change: Change, layout: Layout, reading: Reading) -> None:
    directory = change.directory
    if change.action == "write":
        path = f"{layout.deployment}/{MARKER_FILE}"
        marker = layout.marker.following(reading.marker)
        tree.write(path, marker.content(), MARKER_MODE)
    elif directory is None:
        return
    elif change.action == "repair":
        owner = (directory.uid, directory.gid)
        tree.give(directory.path, owner, layout.apart, reading.stale)
    else:
        owner_and_mode = (directory.uid, directory.gid, directory.mode)
        tree.put(directory.path, Status(*owner_and_mode))
