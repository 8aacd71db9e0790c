# Copyright: (c) 2026, The Agentkeep authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the action plugin of definition reads on the controller, and what it hides."""

from __future__ import annotations

import base64
import os
import stat
from typing import Any, Iterator

LEFT_OUT = frozenset({".git", ".hg", ".svn", "__pycache__", ".DS_Store"})
HIDDEN = "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER"
MOST_FILES = 500
MOST_BYTES = 10 * 1024 * 1024


class SourceRefused(Exception):
    """A directory of the controller cannot be put in place as it is."""


def covered(result: dict[str, Any]) -> dict[str, Any]:
    """Return the result without the settings of webhooks among its options.

    They hold secrets, and who registers a result or asks for more output sees those.
    """
    arguments = result.get("invocation", {}).get("module_args")
    if not isinstance(arguments, dict) or "webhooks" not in arguments:
        return result
    given = arguments["webhooks"]
    shown = [
        {**one, "settings": HIDDEN} if isinstance(one, dict) else HIDDEN
        for one in (given if isinstance(given, list) else [given])
    ]
    told = {**arguments, "webhooks": shown}
    return {**result, "invocation": {**result["invocation"], "module_args": told}}


def read_files(source: str, what: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield each file below a directory by its path, as the module takes it."""
    count = size = 0
    for path in sorted(_paths(source, "")):
        with open(os.path.join(source, path), "rb") as file:
            data = file.read(MOST_BYTES + 1)
            executable = bool(os.fstat(file.fileno()).st_mode & stat.S_IXUSR)
        count, size = count + 1, size + len(data)
        if count > MOST_FILES or size > MOST_BYTES:
            raise SourceRefused(
                f"{what}: it has more than {MOST_FILES} files or {MOST_BYTES} bytes. "
                "Leave out what the agent does not need."
            )
        text = base64.b64encode(data).decode("ascii")
        yield path, {"base64": text, "executable": executable}


def _paths(source: str, below: str) -> Iterator[str]:
    with os.scandir(os.path.join(source, below)) as entries:
        found = sorted(entries, key=lambda one: one.name)
    for entry in found:
        path = f"{below}/{entry.name}".lstrip("/")
        if entry.name in LEFT_OUT:
            continue
        if entry.is_dir(follow_symlinks=False):
            yield from _paths(source, path)
        elif entry.is_file(follow_symlinks=False):
            yield path
        else:
            raise SourceRefused(
                f'Cannot use "{os.path.join(source, path)}": it is a link or no '
                "regular file. Put the file itself there."
            )
