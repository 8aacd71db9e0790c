# Copyright: (c) 2026, The Agentkeep authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A file of environment variables, changed without disturbing what else it holds."""

from __future__ import annotations

import re
from typing import Iterable, Mapping

LINE = re.compile(r"\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=")


def upsert(
    text: str | None, values: Mapping[str, str], gone: Iterable[str] = ()
) -> str | None:
    """Return *text* with the values set and the names in *gone* taken out (D11).

    Other lines, comments and the order stay. Without text and values there is no file.
    """
    if text is None and not values:
        return None
    left = dict(values)
    dropped = set(gone) - set(values)
    lines = []
    for line in (text or "").splitlines():
        name = name_in(line)
        if name in dropped or (name in values and name not in left):
            continue
        if name is not None and name in left:
            lines.append(f"{name}={left.pop(name)}")
        else:
            lines.append(line)
    lines += [f"{name}={value}" for name, value in sorted(left.items())]
    return "".join(f"{line}\n" for line in lines)


def names_in(text: str) -> tuple[str, ...]:
    """Return the names that a file sets."""
    found = (name_in(line) for line in text.splitlines())
    return tuple(name for name in found if name is not None)


def values_in(text: str, names: Iterable[str]) -> dict[str, str]:
    """Return the values that a file of ours gives to the names."""
    wanted = set(names)
    return {
        str(name_in(line)): line.partition("=")[2]
        for line in text.splitlines()
        if name_in(line) in wanted
    }


def name_in(line: str) -> str | None:
    """Return the name that a line sets, or None for a comment and the like."""
    found = LINE.match(line)
    return found.group(1) if found else None
