# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Text from an agent, made fit to store and to send."""

from __future__ import annotations

MAX_RESULT_CHARACTERS = 1_000_000


def whole(text: object, limit: int = MAX_RESULT_CHARACTERS) -> str | None:
    """Return the start of a text, with a mark for each half of a character.

    JSON can spell half a character, and nothing can store or send it.
    """
    if not isinstance(text, str):
        return None
    return text[:limit].encode("utf-8", "replace").decode("utf-8")
