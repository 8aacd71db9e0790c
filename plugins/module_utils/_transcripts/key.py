# Copyright: (c) 2026, The Agentkeep authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The name of the directory in which the Claude CLI keeps a project's sessions."""

from __future__ import annotations

import re
import unicodedata

LONGEST = 200
DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


def project_key(real_path: str) -> str:
    """Given a directory with its links followed, return the key of its project."""
    path = unicodedata.normalize("NFC", real_path)
    key = re.sub("[^a-zA-Z0-9]", "-", path)
    return key if len(key) <= LONGEST else f"{key[:LONGEST]}-{_hash(path)}"


def is_own(project: str, own: str) -> bool:
    """Return whether a project may be the own one.

    Releases of the CLI differ in the hash that ends the key of a long path.
    """
    return project == own or (
        len(own) > LONGEST and project.startswith(own[: LONGEST + 1])
    )


def _hash(path: str) -> str:
    """Return the CLI's hash, a signed number of 32 bits, without its sign."""
    number = 0
    for sign in path:
        number = (31 * number + ord(sign)) % 2**32
    number = min(number, 2**32 - number)
    digits = [] if number else ["0"]
    while number:
        number, rest = divmod(number, 36)
        digits.append(DIGITS[rest])
    return "".join(reversed(digits))
