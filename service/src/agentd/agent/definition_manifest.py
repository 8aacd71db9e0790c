# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""What was put into a definition's work directory; it lies in the agent's own reach.

So any content is taken: what is not understood is as if it had never been written.
Then what was put before looks like an edit, and is kept beside.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from pathlib import Path

from agentd.agent.hostile_files import (
    FileUnusable,
    read_small,
    replace_file,
    set_aside,
)
from agentd.definitions.paths import fault_of_path

NAME = "definition.json"
VERSION = 1
MAX_BYTES = 8 * 1024 * 1024
MAX_FILES = 20_000
MAX_DIGESTS = 4
_DIGEST = re.compile(r"[0-9a-f]{64}")

Known = dict[str, tuple[str, ...]]


def read_known(directory: Path) -> Known:
    """Return the digests by path of what was put there, of any file or of none."""
    try:
        content = read_small(directory / NAME, MAX_BYTES)
        value = json.loads(content or b"{}")
    except (FileUnusable, ValueError, RecursionError):
        return {}
    files = value.get("files") if isinstance(value, dict) else None
    if not isinstance(files, dict) or value.get("version") != VERSION:
        return {}
    return {
        path: tuple(digests)
        for path, digests in list(files.items())[:MAX_FILES]
        if fault_of_path(path) is None and _are_digests(digests)
    }


def write_known(directory: Path, known: Mapping[str, tuple[str, ...]]) -> None:
    """Write it beside its place, make it durable, and rename it there."""
    files = {path: list(known[path]) for path in sorted(known)}
    value = {"version": VERSION, "files": files}
    path = directory / NAME
    if os.path.isdir(path) and not os.path.islink(path):
        set_aside(path)
    replace_file(path, json.dumps(value, separators=(",", ":")).encode() + b"\n")


def _are_digests(value: object) -> bool:
    return (
        isinstance(value, list)
        and 0 < len(value) <= MAX_DIGESTS
        and all(isinstance(one, str) and _DIGEST.fullmatch(one) for one in value)
    )
