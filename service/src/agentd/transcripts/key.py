# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""The name of the directory in which the CLI keeps a project's sessions."""

from __future__ import annotations

import os
import re
import string
import unicodedata
from pathlib import Path

MAX_KEY_CHARACTERS = 200
_DIGITS = string.digits + string.ascii_lowercase


def project_key(working_directory: Path | str) -> str:
    """Given a working directory, return the key of its project, as the SDK does."""
    real = unicodedata.normalize("NFC", os.path.realpath(working_directory))
    key = re.sub(r"[^a-zA-Z0-9]", "-", real)
    if len(key) <= MAX_KEY_CHARACTERS:
        return key
    return f"{key[:MAX_KEY_CHARACTERS]}-{_short_hash(real)}"


def nearness(project: str, own: str) -> int:
    """Return 0 for the own project, 1 for one that may be, 2 for every other.

    A long path ends in a hash that not every release of the CLI computes alike.
    """
    if project == own:
        return 0
    if len(own) <= MAX_KEY_CHARACTERS:
        return 2
    return 1 if project.startswith(own[: MAX_KEY_CHARACTERS + 1]) else 2


def _short_hash(text: str) -> str:
    """Return the CLI's hash: 31 * h + c in signed 32 bits, its size in base 36."""
    value = 0
    for character in text:
        value = (value * 31 + ord(character)) & 0xFFFFFFFF
    rest = value if value < 0x80000000 else 0x100000000 - value
    digits = ""
    while rest:
        rest, digit = divmod(rest, 36)
        digits = _DIGITS[digit] + digits
    return digits or "0"
