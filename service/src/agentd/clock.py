# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""The time, passed in so that tests can set it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Clock:
    """What o'clock it is, and how much time went by."""

    now: Callable[[], float] = time.time
    monotonic: Callable[[], float] = time.monotonic
