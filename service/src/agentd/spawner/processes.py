# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""End every process that belongs to a CLI process, also what left its group."""

from __future__ import annotations

import os
import signal
from collections.abc import Mapping
from contextlib import suppress

ROUNDS = 5


def signal_group(leader: int, number: signal.Signals) -> None:
    """Send a signal to the group of that leader, if there still is one."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, number)


def kill_marked(wanted: Mapping[str, str]) -> int:
    """Kill every process whose environment holds these variables; return how many.

    The CLI's shells have groups of their own, so that its group is not all of them.
    """
    killed: set[int] = set()
    for _round in range(ROUNDS):
        found = set(marked(wanted)) - killed
        if not found:
            break
        for pid in found:
            with suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        killed |= found
    return len(killed)


def marked(wanted: Mapping[str, str]) -> list[int]:
    """Return the other processes whose environment holds all of these variables."""
    own = os.getpid()
    pids = (int(name) for name in os.listdir("/proc") if name.isdigit())
    return [pid for pid in pids if pid != own and _is_marked(pid, wanted)]


def _is_marked(pid: int, wanted: Mapping[str, str]) -> bool:
    try:
        with open(f"/proc/{pid}/environ", "rb") as file:
            entries = set(file.read().split(b"\0"))
    except OSError:
        return False
    return all(f"{name}={value}".encode() in entries for name, value in wanted.items())
