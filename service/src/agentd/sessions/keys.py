# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Keys of sessions as one string, such that no two keys have the same one.

Each part is percent-encoded, so that the colon between parts occurs in none of
them, and the first word tells the kinds of key apart.
"""

from __future__ import annotations

from urllib.parse import quote

from agentd.sessions.identity import IssueKey, SessionKey


def encode_key(key: SessionKey | IssueKey) -> str:
    """Return the one string of a key: for a lock, a label or a file's name."""
    if isinstance(key, IssueKey):
        return _joined("issue", key.agent, key.repository, key.issue)
    return _joined("conversation", key.agent, key.conversation_id)


def _joined(*parts: str) -> str:
    return ":".join(_encoded(part) for part in parts)


def _encoded(part: str) -> str:
    # A part like ".." would mean something else in a path.
    return quote(part, safe="", errors="surrogatepass").replace(".", "%2E")
