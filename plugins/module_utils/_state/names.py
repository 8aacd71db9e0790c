# Copyright: (c) 2026, The Agentkeep authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The rules for names, paths and modes in a state inventory."""

from __future__ import annotations

import posixpath
import re
from typing import Any

NAME_RULE = re.compile(r"[a-z0-9][a-z0-9-]{0,31}\Z")
PART_RULE = re.compile(r"[A-Za-z0-9._][A-Za-z0-9._-]{0,254}\Z")
VOLUME_RULE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{1,254}\Z")
MODE_RULE = re.compile(r"[0-7]?[0-7]{3}\Z")
CONTROL_CHARACTERS = re.compile(r"[\x00-\x1f\x7f]")
HIGHEST_ID = 2**32 - 2


def name_fault(name: Any) -> str | None:
    """Given a name of an agent or deployment, return what is wrong, or None."""
    if not isinstance(name, str):
        return f"{name!r} is not text"
    if not NAME_RULE.match(name):
        return (
            f'"{shown(name)}" does not consist of 1 to 32 lower-case letters, digits '
            "and hyphens with a letter or digit first"
        )
    return None


def relative_fault(path: Any) -> str | None:
    """Given a path below a data root, return what is wrong with it, or None."""
    if not isinstance(path, str) or not path:
        return f"{path!r} is not a path"
    if CONTROL_CHARACTERS.search(path):
        return f'"{shown(path)}" holds a NUL or another control character'
    if path.startswith("/"):
        return f'"{path}" is absolute'
    parts = path.split("/")
    if ".." in parts:
        return f'"{path}" holds ".."'
    if "." in parts or not all(PART_RULE.match(part) for part in parts):
        return (
            f'"{path}" holds a part that is not made of letters, digits, '
            "dots, underscores and hyphens"
        )
    return None


def part_fault(part: Any) -> str | None:
    """Given one part of a path, return what is wrong with it, or None."""
    if isinstance(part, str) and "/" in part:
        return f'"{shown(part)}" holds "/"'
    return relative_fault(part)


def volume_fault(name: Any) -> str | None:
    """Given the name of a volume, return what is wrong with it, or None."""
    if not isinstance(name, str) or not VOLUME_RULE.match(name):
        return (
            f"{name!r} does not consist of letters, digits, dots, underscores and "
            "hyphens with a letter or digit first"
        )
    return None


def absolute_fault(path: Any) -> str | None:
    """Given a path that must be absolute and plain, return its fault, or None."""
    if not isinstance(path, str) or not path:
        return f"{path!r} is not a path"
    if CONTROL_CHARACTERS.search(path):
        return f'"{shown(path)}" holds a NUL or another control character'
    if not path.startswith("/"):
        return f'"{path}" is not absolute'
    if ".." in path.split("/"):
        return f'"{path}" holds ".."'
    if path == "/":
        return '"/" is the whole file system'
    if path.startswith("//") or posixpath.normpath(path) != path:
        return f'"{path}" is not in its shortest form'
    return None


def mode_fault(mode: Any) -> str | None:
    """Given a mode, return what is wrong with it, or None."""
    if not isinstance(mode, str) or not MODE_RULE.match(mode):
        return f"{mode!r} is not text of three or four octal digits"
    if int(mode, 8) & 0o5000:
        return f'"{mode}" has the set-user-id or sticky bit'
    if int(mode, 8) & 0o002:
        return f'"{mode}" lets everybody write'
    return None


def id_fault(value: Any) -> str | None:
    """Given a numeric user or group id, return what is wrong with it, or None."""
    if isinstance(value, bool) or not isinstance(value, int):
        return f"{value!r} is not a whole number"
    if not 0 <= value <= HIGHEST_ID:
        return f"{value} is not between 0 and {HIGHEST_ID}"
    return None


def shown(text: str) -> str:
    """Return *text* with control characters spelled out."""
    return CONTROL_CHARACTERS.sub(lambda found: f"\\x{ord(found.group()):02x}", text)
