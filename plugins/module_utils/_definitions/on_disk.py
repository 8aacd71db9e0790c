# Copyright: (c) 2026, The Agentkeep authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Definitions on the host: what is there of them, and how they are put there.

The directory belongs to control. Links are never followed; a thing is made beside its
place and takes it by a rename, so that an agent sees all of the old one or of the new.
"""

from __future__ import annotations

import errno
import hashlib
import os
import re
from dataclasses import replace
from typing import Iterator

from .._errors import LayoutRefused, UnsafePath
from .._files.content import open_regular
from .._files.descent import Status, status_of
from .._files.exchange import exchange
from .._files.refusals import explained
from .._files.root import open_tree
from .._files.tree import Tree
from .._plan import Plan
from .._state.marker import LOCK_FILE
from .declared import NAME
from .plan import plan_definitions
from .values import (
    DIRECTORY_MODE,
    KINDS,
    MOST_BYTES,
    MOST_FILES,
    PRIVATE_DIRECTORY_MODE,
    WEBHOOKS,
    Change,
    FoundFile,
    Item,
    Order,
    Reading,
)

# Beside what it will be, or was; control leaves such names alone.
NEW, OLD = ".definition-{}.new", ".definition-{}.old"
LEFT = re.compile(r"\.definition-(.+)\.(new|old)")
READ_BYTES = 1024 * 1024
MOST_DEPTH = 20


def read(order: Order) -> Reading | None:
    """Return what is there, or None if the deployment is not laid out yet."""
    tree, _missing = open_tree(order.data_root)
    if tree is None:
        return None
    with tree:
        return None if tree.status(order.root) is None else _read(tree, order)


def apply(plan: Plan, order: Order) -> Plan:
    """Take the lock, finish what an earlier run began, plan again, carry that out."""
    tree, _missing = open_tree(order.data_root)
    if tree is None:
        raise _not_laid_out(order)
    with tree:
        if tree.status(order.root) is None:
            raise _not_laid_out(order)
        with tree.locked(f"{order.deployment}/{LOCK_FILE}", order.lock_wait_seconds):
            cleared = bool(_settle(tree, order))
            found = plan_definitions(_read(tree, order), order)
            for change in found.steps:
                _carry_out(tree, order, change)
    return replace(found, action=plan.action, changed=found.changed or cleared)


def _not_laid_out(order: Order) -> LayoutRefused:
    return LayoutRefused(
        f'Cannot put definitions into "{order.data_root}/{order.root}"',
        "the deployment is not laid out yet",
        "Run the module state_layout, or the role agentkeep.agents.deployment, first.",
    )


def _read(tree: Tree, order: Order) -> Reading:
    found: dict[str, dict[str, FoundFile]] = {}
    leftovers = []
    for kind in KINDS.values():
        above = f"{order.root}/{kind}"
        if tree.status(above) is None:
            continue
        for name in tree.names(above):
            if LEFT.fullmatch(name):
                leftovers.append(f"{kind}/{name}")
            elif NAME.fullmatch(name):
                found[f"{kind}/{name}"] = _files(tree, above, name)
    return Reading(found, tuple(leftovers))


def _files(tree: Tree, above: str, name: str) -> dict[str, FoundFile]:
    """Return the files of one thing; a file at its place has the path ""."""
    if not _is_directory(tree, above, name):
        return {"": _file(tree, above, name)}
    found: dict[str, FoundFile] = {}
    top = f"{above}/{name}"
    for path in _paths(tree, top, "", 0):
        directory, _slash, last = f"{top}/{path}".rpartition("/")
        found[path] = _file(tree, directory, last)
        if len(found) > MOST_FILES:
            break
    return found


def _paths(tree: Tree, top: str, below: str, depth: int) -> Iterator[str]:
    here = f"{top}/{below}".rstrip("/")
    for name in tree.names(here):
        path = f"{below}/{name}".lstrip("/")
        if depth < MOST_DEPTH and _is_directory(tree, here, name):
            yield from _paths(tree, top, path, depth + 1)
        else:
            yield path


def _is_directory(tree: Tree, above: str, name: str) -> bool:
    try:
        return tree.status(f"{above}/{name}") is not None
    except UnsafePath:
        return False


def _file(tree: Tree, above: str, name: str) -> FoundFile:
    nothing = FoundFile(0, (-1, -1), None)
    directory = tree.directory(above)
    if directory is None:
        return nothing
    shown = f"{tree.root}/{above}/{name}"
    try:
        descriptor = open_regular(directory, name, shown)
    except (UnsafePath, OSError):
        # A link, a device, or what cannot be opened: it is replaced.
        return nothing
    if descriptor is None:
        return nothing
    with explained("read", shown), os.fdopen(descriptor, "rb") as file:
        status = status_of(descriptor)
        digest, size = hashlib.sha256(), 0
        for part in iter(lambda: file.read(READ_BYTES), b""):
            digest.update(part)
            size += len(part)
            if size > MOST_BYTES:
                return nothing
    return FoundFile(status.mode, (status.uid, status.gid), digest.hexdigest())


def _settle(tree: Tree, order: Order) -> list[str]:
    """Undo or finish what a run that was cut off left; return what that was."""
    settled = []
    for kind in KINDS.values():
        above = f"{order.root}/{kind}"
        if tree.status(above) is None:
            continue
        names = tree.names(above)
        for name in names:
            left = LEFT.fullmatch(name)
            if left is None:
                continue
            if left.group(2) == "old" and left.group(1) not in names:
                _rename(tree, above, name, left.group(1))
            else:
                _remove(tree, above, name)
            settled.append(f"{kind}/{name}")
    return settled


def _carry_out(tree: Tree, order: Order, change: Change) -> None:
    above = f"{order.root}/{change.kind}"
    mode = PRIVATE_DIRECTORY_MODE if change.kind == WEBHOOKS else DIRECTORY_MODE
    tree.put(above, Status(*order.owner, mode))
    new, old = NEW.format(change.name), OLD.format(change.name)
    item = change.item
    if item is not None and item.files is not None:
        _make(tree, f"{above}/{new}", item, order.owner)
    if change.action == "changed" and _swap(tree, above, new, change.name):
        _remove(tree, above, new)
        return
    if change.action != "created":
        _rename(tree, above, change.name, old)
    if change.action != "removed":
        _rename(tree, above, new, change.name)
    if change.action != "created":
        _remove(tree, above, old)


def _make(tree: Tree, place: str, item: Item, owner: tuple[int, int]) -> None:
    files = item.files or {}
    if item.kind == WEBHOOKS:
        tree.write(place, files[""].data, files[""].mode, owner)
        return
    status = Status(*owner, DIRECTORY_MODE)
    tree.put(place, status)
    for path in sorted(files):
        parts = path.split("/")
        for end in range(1, len(parts)):
            tree.put(f"{place}/{'/'.join(parts[:end])}", status)
        tree.write(f"{place}/{path}", files[path].data, files[path].mode, owner)


def _swap(tree: Tree, above: str, name: str, other: str) -> bool:
    """Swap both, so that there is no instant without one; False if it is refused."""
    directory = tree.directory(above)
    with explained("replace", f"{tree.root}/{above}/{other}"):
        if directory is None:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
        swapped = exchange(directory, name, other)
        os.fsync(directory)
    return swapped


def _rename(tree: Tree, above: str, name: str, other: str) -> None:
    directory = tree.directory(above)
    with explained("rename", f"{tree.root}/{above}/{name}"):
        if directory is None:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
        os.rename(name, other, src_dir_fd=directory, dst_dir_fd=directory)
        os.fsync(directory)


def _remove(tree: Tree, above: str, name: str) -> None:
    if _is_directory(tree, above, name):
        tree.remove_tree(f"{above}/{name}")
    else:
        tree.remove(f"{above}/{name}")
