# Copyright: (c) 2026, The Agentkeep authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Ranges of ids as the kernel and the files of subordinate ids list them."""

from __future__ import annotations

from typing import Tuple

Range = Tuple[int, int, int]
# What an engine gives itself if nobody says how many.
USUAL_COUNT = 65536


def ranges_of(text: str) -> tuple[Range, ...]:
    """Given a uid_map or gid_map, return its ranges; raise ValueError."""
    found = []
    for line in text.splitlines():
        inside, outside, count = (int(word) for word in line.split())
        found.append((inside, outside, count))
    return tuple(found)


def subordinate_ranges(text: str, first: int) -> tuple[Range, ...]:
    """Given /etc/subuid, return the ranges of whoever's first one begins there."""
    held: dict[str, list[tuple[int, int]]] = {}
    for line in text.splitlines():
        owner, _colon, rest = line.strip().partition(":")
        start, _colon, count = rest.partition(":")
        is_range = start.isdigit() and count.isdigit() and int(count)
        if is_range and not owner.startswith("#"):
            held.setdefault(owner, []).append((int(start), int(count)))
    chosen = [one for one in held.values() if one[0][0] == first]
    ranges = chosen[0] if chosen else [(first, USUAL_COUNT)]
    found, inside = [], 0
    for outside, length in ranges:
        found.append((inside, outside, length))
        inside += length
    return tuple(found)
