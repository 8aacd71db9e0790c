# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Bodies of those who need no token: bounded all together, whoever sends slowly."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from starlette.types import Message, Receive

# Their callers sign the body in the place of a token.
SIGNED_PATHS = re.compile(r"/webhooks/(?:forgejo|github|jira)")
MOST_HELD_BYTES = 32_000_000
BUSY = "Too much is sent here at this moment. Send it again in a minute."


class TooManyBodies(Exception):
    """Others send so much at this moment that no more can be held."""


def is_signed_path(path: str) -> bool:
    """Return whether a request is let in by the signature of its body."""
    return SIGNED_PATHS.fullmatch(path) is not None


class OpenBodies:
    """Counts the bodies of anybody's requests while they are read and answered."""

    def __init__(self, most_bytes: int = MOST_HELD_BYTES) -> None:
        self._most = most_bytes
        self._held = 0

    @contextmanager
    def counted(self, receive: Receive) -> Iterator[Receive]:
        """Give what receives a body; it raises TooManyBodies if all are too much."""
        mine = 0

        async def counting() -> Message:
            nonlocal mine
            message = await receive()
            size = len(message.get("body", b""))
            mine += size
            self._held += size
            if self._held > self._most:
                raise TooManyBodies
            return message

        try:
            yield counting
        finally:
            self._held -= mine
