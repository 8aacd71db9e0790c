# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Swap pairs of paths as fast as the kernel does it, as the user of an agent.

Usage: link_swapper.py UID DIRECTORY PATH PATH [PATH PATH ...]. Each pair of paths below
the directory changes places until the standard input ends; then the number of swaps is
printed.
"""

from __future__ import annotations

import ctypes
import os
import select
import sys

AT_CURRENT_DIRECTORY = -100
EXCHANGE = 2
SWAPS_BETWEEN_LOOKS = 50


def main(uid: int, directory: str, pairs: list[tuple[bytes, bytes]]) -> None:
    """Swap until nobody listens any more."""
    # An agent sees its directory as a mount; here others' directories lie above it.
    os.chdir(directory)
    os.setgroups([])
    os.setresgid(uid, uid, uid)
    os.setresuid(uid, uid, uid)
    renameat2 = ctypes.CDLL(None, use_errno=True).renameat2
    here, swaps = AT_CURRENT_DIRECTORY, 0
    ready = False
    while not select.select([sys.stdin], [], [], 0)[0]:
        for _swap in range(SWAPS_BETWEEN_LOOKS):
            for one, other in pairs:
                swaps += renameat2(here, one, here, other, EXCHANGE) == 0
        if not ready:
            print("ready", flush=True)
            ready = True
    print(swaps)


if __name__ == "__main__":
    paths = [os.fsencode(path) for path in sys.argv[3:]]
    main(int(sys.argv[1]), sys.argv[2], list(zip(paths[::2], paths[1::2], strict=True)))
