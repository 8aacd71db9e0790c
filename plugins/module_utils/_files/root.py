# Copyright: (c) 2026, The Agentkeep authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The way to a data root, link by link."""

from __future__ import annotations

import contextlib
import os
import stat

from .._errors import UnsafePath
from .descent import DIRECTORY, open_child
from .refusals import explained
from .tree import Tree
from .trust import is_trusted

MOST_LINKS = 40


def open_tree(root: str, managed: bool = True) -> tuple[Tree | None, tuple[str, ...]]:
    """Given a path, return its tree, or None and what is missing of the path.

    Only where another program manages what lies below may it belong to a user.
    """
    descriptor, rest = _open_root(root)
    if not rest:
        _demand_private(descriptor, root, managed)
        return Tree(root, descriptor), ()
    os.close(descriptor)
    parts = root.split("/")
    first = len(parts) - len(rest) + 1
    return None, tuple("/".join(parts[:end]) for end in range(first, len(parts) + 1))


def make_tree(root: str, mode: int) -> Tree:
    """Given a path, make what is missing of it and return its tree."""
    descriptor, rest = _open_root(root)
    for name in rest:
        with explained("make", root):
            with contextlib.suppress(FileExistsError):
                os.mkdir(name, 0o700, dir_fd=descriptor)
            child = os.open(name, DIRECTORY, dir_fd=descriptor)
            os.fchown(child, os.geteuid(), os.getegid())
            os.fchmod(child, mode)
        os.close(descriptor)
        descriptor = child
    _demand_private(descriptor, root)
    return Tree(root, descriptor)


def _open_root(path: str) -> tuple[int, list[str]]:
    descriptor, pending, sound, links = (
        os.open("/", DIRECTORY),
        path.split("/"),
        True,
        0,
    )
    while pending:
        name = pending.pop(0)
        if not name:
            continue
        sound = sound and _is_sound(descriptor)
        target = _trusted_link(descriptor, name) if sound and pending else None
        if target is not None and links < MOST_LINKS:
            links += 1
            pending = target.split("/") + pending
            child: int | None = (
                os.open("/", DIRECTORY) if target[0] == "/" else os.dup(descriptor)
            )
        else:
            child = open_child(descriptor, name, path)
        if child is None:
            return descriptor, [name, *(part for part in pending if part)]
        os.close(descriptor)
        descriptor = child
    return descriptor, []


def _is_sound(descriptor: int) -> bool:
    found = os.fstat(descriptor)
    shared = found.st_mode & 0o022 and not found.st_mode & stat.S_ISVTX
    return is_trusted(found.st_uid) and not shared


def _trusted_link(above: int, name: str) -> str | None:
    try:
        found = os.stat(name, dir_fd=above, follow_symlinks=False)
        if stat.S_ISLNK(found.st_mode) and is_trusted(found.st_uid):
            return os.readlink(name, dir_fd=above)
    except FileNotFoundError:
        pass
    return None


def _demand_private(descriptor: int, root: str, managed: bool = True) -> None:
    found = os.fstat(descriptor)
    mode = found.st_mode
    if managed and not is_trusted(found.st_uid):
        os.close(descriptor)
        raise UnsafePath(
            f'Cannot use "{root}" as data root',
            f"it belongs to uid {found.st_uid}, who could put a link in the place of "
            "what the engine binds",
            "Give it to root (chown root), or set data_root to another directory.",
        )
    if mode & 0o002:
        os.close(descriptor)
        raise UnsafePath(
            f'Cannot use "{root}" as data root',
            f"everybody may write to it (mode {stat.S_IMODE(mode):04o})",
            "Take that permission away (chmod o-w), or set data_root to another "
            "directory.",
        )
