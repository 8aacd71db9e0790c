# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Who follows the output of tasks now: no more than are allowed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from agentd.errors import TooManyReaders

MAX_JOINED = 64
FULL = (
    "{} readers follow the output of tasks already. Close some, and try again shortly."
)


class Joined:
    """The readers of all tasks; each takes a place and gives it back."""

    def __init__(self, most: int = MAX_JOINED, full: str = FULL) -> None:
        self._most = most
        self._full = full
        self.count = 0

    def demand_room(self) -> None:
        """Raise TooManyReaders if no place is free."""
        if self.count >= self._most:
            raise TooManyReaders(self._full.format(self._most))

    @contextmanager
    def place(self) -> Iterator[None]:
        """Hold a place."""
        self.demand_room()
        self.count += 1
        try:
            yield
        finally:
            self.count -= 1
