# Copyright: (c) 2026, The Agentkeep authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How ids inside a container become ids on the host."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Iterable, Mapping, Sequence

from .._errors import InvalidInput
from .names import HIGHEST_ID, id_fault

KINDS = ("uid", "gid")


@dataclass(frozen=True)
class IdRange:
    """Hold a run of ids: the first inside, the first on the host, and how many."""

    inside: int
    outside: int
    count: int


@dataclass(frozen=True)
class IdMap:
    """Hold the user and group ids that the engine gives to its containers."""

    uids: tuple[IdRange, ...]
    gids: tuple[IdRange, ...]

    @classmethod
    def offset(cls, number: int) -> IdMap:
        """Return the map that adds *number* to every id; 0 changes nothing."""
        whole = (IdRange(0, number, HIGHEST_ID + 1 - number),)
        return cls(uids=whole, gids=whole)

    @classmethod
    def from_ranges(
        cls, uids: Iterable[Sequence[int]], gids: Iterable[Sequence[int]]
    ) -> IdMap:
        """Given ranges as a user namespace lists them, return the map."""
        return cls(
            uids=tuple(IdRange(*one) for one in uids),
            gids=tuple(IdRange(*one) for one in gids),
        )

    @classmethod
    def from_output(cls, params: Any) -> IdMap | None:
        """Given what *for_output* returned, return the map, or None if it is none."""
        if not isinstance(params, Mapping):
            return None
        ranges = [params.get(kind) for kind in KINDS]
        if not all(_is_ranges(one) for one in ranges):
            return None
        return cls.from_ranges(*[list(one or ()) for one in ranges])

    def host_uid(self, uid: int) -> int:
        """Return the user id on the host; raise InvalidInput if there is none."""
        return _outside("uid", self.uids, uid)

    def host_gid(self, gid: int) -> int:
        """Return the group id on the host; raise InvalidInput if there is none."""
        return _outside("gid", self.gids, gid)

    def for_output(self) -> dict[str, list[list[int]]]:
        """Return the ranges as lists of inside, outside and count."""
        return {
            kind: [[one.inside, one.outside, one.count] for one in ranges]
            for kind, ranges in zip(KINDS, (self.uids, self.gids))
        }


IDENTITY = IdMap.offset(0)


def _outside(kind: str, ranges: tuple[IdRange, ...], number: int) -> int:
    for one in ranges:
        if one.inside <= number < one.inside + one.count:
            return one.outside + number - one.inside
    known = ", ".join(f"{one.inside} to {one.inside + one.count - 1}" for one in ranges)
    raise InvalidInput(
        f"Cannot use the {kind} {number}",
        f"the engine's user namespace has only the {kind}s {known or 'of nobody'}",
        f"Choose a {kind} among these, enlarge the engine's range in /etc/sub{kind}, "
        "or set uid_offset to a smaller number.",
    )


def _is_ranges(value: Any) -> bool:
    return isinstance(value, list) and all(
        isinstance(one, list)
        and len(one) == len(("inside", "outside", "count"))
        and not any(id_fault(number) for number in one[:2])
        and isinstance(one[2], int)
        and 0 < one[2] <= HIGHEST_ID + 1
        for one in value
    )
