# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Structured logs of control and gateway: constant events, data as keys."""

from __future__ import annotations

import logging
import sys
from typing import cast

import structlog
from structlog.typing import FilteringBoundLogger

MAX_CHARACTERS = 8_000


def configure_log(component: str, level: str) -> None:
    """Write JSON lines to stderr, at the given level and above.

    The component's name stands in each line.
    """
    number = logging.getLevelNamesMapping()[level.upper()]
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
    structlog.contextvars.bind_contextvars(component=component)
    root = logging.getLogger()
    if not any(isinstance(handler, LibraryLines) for handler in root.handlers):
        root.addHandler(LibraryLines(logging.WARNING))


class LibraryLines(logging.Handler):
    """Writes what libraries log as lines like ours.

    They quote what agents wrote; on a line of its own, that could be taken for ours.
    """

    def emit(self, record: logging.LogRecord) -> None:
        """Write one record."""
        try:
            said = self.format(record)[:MAX_CHARACTERS]
            log = structlog.get_logger(part=record.name)
            log.log(record.levelno, "library_said", said=said)
        except Exception:
            self.handleError(record)


def get_log(name: str) -> FilteringBoundLogger:
    """Return the logger of one part of the service."""
    return cast(FilteringBoundLogger, structlog.get_logger(part=name))
