# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Whoever takes nothing of what is written for too long is dropped."""

from __future__ import annotations

import asyncio

from agentd.log import get_log

log = get_log("api")


class SlowReader:
    """Drops a connection that is full for that long."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        transport: asyncio.WriteTransport,
        seconds: float,
    ) -> None:
        self._loop = loop
        self._transport = transport
        self._seconds = seconds
        self._timer: asyncio.TimerHandle | None = None

    def begin(self) -> None:
        """Begin to wait: no more can be written now."""
        self.cancel()
        self._timer = self._loop.call_later(self._seconds, self._drop)

    def cancel(self) -> None:
        """Wait no longer: there is room again, or nothing is left to write."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _drop(self) -> None:
        log.warning("slow_reader_dropped", seconds=self._seconds)
        self._transport.abort()


class DropsSlowReaders(asyncio.Protocol):
    """A protocol of ours, before one of uvicorn's, that knows who takes nothing."""

    _reader: SlowReader | None = None

    def pause_writing(self) -> None:
        """Begin to wait for a reader that takes nothing."""
        super().pause_writing()
        if self._reader is not None:
            self._reader.begin()

    def resume_writing(self) -> None:
        """Go on: it took something."""
        super().resume_writing()
        if self._reader is not None:
            self._reader.cancel()
