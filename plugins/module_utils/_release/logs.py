# Copyright: (c) 2026, The Agentkeep authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The last words of a container that failed, without its secrets."""

from __future__ import annotations

import re
from typing import Iterable

from .._engine.engine import Engine
from .._errors import EngineFailed

LINES = 20
LONGEST = 3000
MASK = "•••"
COLOURS = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
UNPRINTABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
SHORTEST_SECRET = 4


def last_words(
    engine: Engine, containers: Iterable[str], secrets: Iterable[str]
) -> str:
    """Return the last log lines of the containers, secrets masked."""
    found = []
    for name in containers:
        try:
            text = engine.logs(name, LINES)
        except EngineFailed:
            continue
        found.append(f"{name}: {masked(text, secrets)[-LONGEST:].strip() or 'nothing'}")
    return "\n".join(found)


def masked(text: str, secrets: Iterable[str]) -> str:
    """Return text of a container without secrets, colours and control characters."""
    text = COLOURS.sub("", text)
    for secret in sorted(secrets, key=len, reverse=True):
        if len(secret) >= SHORTEST_SECRET:
            text = text.replace(secret, MASK)
    return UNPRINTABLE.sub("", text)
