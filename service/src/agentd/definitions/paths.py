# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Which paths a file of a definition or a skill may have.

Standard library only: what an upload may hold is what the agent's side puts in place.
"""

from __future__ import annotations

from collections.abc import Collection

MAX_PARTS = 16
MAX_PART_BYTES = 200
# Where the agent's side keeps what it knows of a definition's work directory.
OWN_DIRECTORY = ".agentkeep"


def fault_of_path(path: str) -> str | None:
    """Return why a file may not have that path below its directory, or None."""
    parts = path.split("/")
    if path.startswith("/"):
        return "it is absolute"
    if any(part in ("", ".", "..") for part in parts):
        return 'it has an empty part, "." or ".."'
    if "\\" in path or not path.isprintable():
        return "it holds a backslash, or what cannot be printed"
    if len(parts) > MAX_PARTS or max(map(_size, parts)) > MAX_PART_BYTES:
        return (
            f"it has more than {MAX_PARTS} parts, or one of more than "
            f"{MAX_PART_BYTES} bytes"
        )
    if parts[0] == OWN_DIRECTORY:
        return f"{OWN_DIRECTORY} is a directory of agentd's own"
    return None


def fault_of_paths(paths: Collection[str]) -> str | None:
    """Return why files may not lie beside each other, or None."""
    for path in paths:
        above, slash, _name = path.rpartition("/")
        while slash:
            if above in paths:
                return f'"{above}" is a file, and "{path}" lies below it'
            above, slash, _name = above.rpartition("/")
    return None


def directories_of(paths: Collection[str]) -> set[str]:
    """Return the directories that files with those paths lie in."""
    found: set[str] = set()
    for path in paths:
        above, slash, _name = path.rpartition("/")
        while slash and above not in found:
            found.add(above)
            above, slash, _name = above.rpartition("/")
    return found


def _size(part: str) -> int:
    return len(part.encode("utf-8", "surrogatepass"))
