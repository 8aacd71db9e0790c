# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Who follows the output of tasks now: no more than are allowed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from agentd.errors import TooManyReaders

MAX_JOINED = 64


class Joined:
    """The readers of all tasks; each takes a place and gives it back."""

    def __init__(self, most: int = MAX_JOINED) -> None:
        self._most = most
        self.count = 0

    def demand_room(self) -> None:
        """Raise TooManyReaders if no place is free."""
        if self.count >= self._most:
            raise TooManyReaders(
                f"{self._most} readers follow the output of tasks already. Close some, "
                "and try again shortly."
            )

    @contextmanager
    def place(self) -> Iterator[None]:
        """Hold a place."""
        self.demand_room()
        self.count += 1
        try:
            yield
        finally:
            self.count -= 1
