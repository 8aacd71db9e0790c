# Copyright: (c) 2026, The Agentkeep authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is really mounted in a container, and what lies at a source on the host.

Both are in the hands of an untrusted agent: paths are walked by directory descriptors,
links are not followed, and nothing that is found is opened for reading.
"""

from __future__ import annotations

import os
import re
import stat
from typing import Iterable

from .._containers.observed import MountPoint, SourceState

ESCAPED = re.compile(r"\\([0-7]{3})")
DELETED = "//deleted"
HOLD = os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC
PASS = HOLD | os.O_DIRECTORY
MOST_LINKS = 20
NOTHING = SourceState(exists=False)


def read_mount_table(pid: int, targets: Iterable[str]) -> tuple[MountPoint, ...] | None:
    """Return the mounts of a process at *targets*, or None if it is gone."""
    try:
        with open(f"/proc/{pid}/mountinfo", encoding="utf-8", errors="replace") as file:
            lines = file.read().splitlines()
        root = os.open(f"/proc/{pid}/root", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        table = dict(map(_parsed, lines))
        found = []
        for target in targets:
            place = target if target in table else _resolved(root, target)
            if place in table:
                source_root, read_only = table[place]
                at = _looked_at(root, place.split("/"))
                found.append(
                    MountPoint(
                        target=target,
                        source_root=source_root.replace(DELETED, ""),
                        read_only=read_only,
                        deleted=source_root.endswith(DELETED),
                        device=at.st_dev if at else None,
                        inode=at.st_ino if at else None,
                    )
                )
        return tuple(found) if os.path.exists(f"/proc/{pid}") else None
    finally:
        os.close(root)


def read_source(path: str, trusted: str = "") -> SourceState:
    """Return what lies at *path*; only links in *trusted*, its beginning, are taken."""
    beginning = trusted if path.startswith(f"{trusted}/") else "/"
    try:
        root = os.open(beginning or "/", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError:
        return NOTHING
    try:
        found = _looked_at(root, path[len(beginning) :].split("/"))
    finally:
        os.close(root)
    if found is None or stat.S_ISLNK(found.st_mode):
        return NOTHING
    return SourceState(
        exists=True,
        device=found.st_dev,
        inode=found.st_ino,
        uid=found.st_uid,
        gid=found.st_gid,
        mode=stat.S_IMODE(found.st_mode),
    )


def _parsed(line: str) -> tuple[str, tuple[str, bool]]:
    """Return a mount point, its source, and whether it is read-only."""
    words = line.split(" ")
    options = words[5].split(",")
    return _plain(words[4]), (_plain(words[3]), "ro" in options)


def _plain(escaped: str) -> str:
    return ESCAPED.sub(lambda found: chr(int(found.group(1), 8)), escaped)


def _looked_at(root: int, parts: list[str]) -> os.stat_result | None:
    """Return the state of what lies below *root*, or None if a link is in the way."""
    names = [part for part in parts if part]
    held = os.dup(root)
    try:
        for index, name in enumerate(names):
            last = index == len(names) - 1
            below = os.open(name, HOLD if last else PASS, dir_fd=held)
            os.close(held)
            held = below
        return os.fstat(held)
    except OSError:
        return None
    finally:
        os.close(held)


def _resolved(root: int, target: str) -> str:
    """Return *target* with the links of the container's own tree worked out."""
    pending = [part for part in target.split("/") if part]
    done: list[str] = []
    links = 0
    while pending:
        name = pending.pop(0)
        if name == "..":
            done = done[:-1]
            continue
        link = _link(root, [*done, name]) if links < MOST_LINKS else None
        if link is None:
            done.append(name)
            continue
        links += 1
        done = [] if link.startswith("/") else done
        pending = [part for part in link.split("/") if part not in ("", ".")] + pending
    return "/" + "/".join(done)


def _link(root: int, parts: list[str]) -> str | None:
    held = os.dup(root)
    try:
        for name in parts[:-1]:
            below = os.open(name, PASS, dir_fd=held)
            os.close(held)
            held = below
        return os.readlink(parts[-1], dir_fd=held)
    except OSError:
        return None
    finally:
        os.close(held)
