# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""A bound on how long a server may take that says nothing.

Its own statement_timeout ends what is slow. What ends a server that was cut off is
that we close the line: whoever waits on it is told at once.
"""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from typing import Protocol


class Line(Protocol):
    """A driver's connection."""

    @property
    def closed(self) -> bool:
        """Return whether it was closed."""

    def fileno(self) -> int:
        """Return the descriptor of its socket."""


class Limit:
    """Closes the line of one transaction when its time is over."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._line: Line | None = None
        self.over = False

    def attach(self, line: Line) -> None:
        """Take the line that the transaction uses from now on."""
        with self._lock:
            self._line = line
            if self.over:
                cut(line)

    def detach(self) -> None:
        """Leave the line alone from now on."""
        with self._lock:
            self._line = None

    def expire(self) -> None:
        """Close the line."""
        with self._lock:
            self.over = True
            if self._line is not None:
                cut(self._line)


_CURRENT: ContextVar[Limit | None] = ContextVar("agentd_database_limit", default=None)


def attach_current(line: Line) -> None:
    """Attach the line to the limit of the transaction that is begun here, if any."""
    limit = _CURRENT.get()
    if limit is not None:
        limit.attach(line)


@contextmanager
def under(limit: Limit) -> Iterator[None]:
    """Let every line that is taken here belong to this limit."""
    token = _CURRENT.set(limit)
    try:
        yield
    finally:
        limit.detach()
        _CURRENT.reset(token)


def cut(line: Line) -> None:
    """Close the line: whoever waits on it is told at once."""
    if line.closed:
        return
    # The descriptor stays the driver's own: only what goes over it ends.
    with (
        suppress(OSError, ValueError),
        socket.socket(fileno=os.dup(line.fileno())) as s,
    ):
        s.shutdown(socket.SHUT_RDWR)
