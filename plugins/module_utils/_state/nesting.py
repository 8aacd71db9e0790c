# Copyright: (c) 2026, The Agentkeep authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Entries that lie in the directories of other entries.

The engine follows a link in a mount's source, as root. So nobody but root may be able
to put one there: not the owner of the directory above, if a container of his can write
to it.
"""

from __future__ import annotations

from typing import Iterable, Iterator, Sequence

from .entry import Entry
from .refusal import refused


def nesting_faults(entries: Sequence[Entry]) -> Iterator[tuple[Entry, Entry]]:
    """Yield each mounted entry with the entry in whose directory links may appear."""
    for entry in entries:
        if not entry.mounts:
            continue
        above = [holder for holder in entries if holds(holder, entry)]
        holder = risk_of(above)
        if holder is not None:
            yield entry, holder


def risk_of(above: Iterable[Entry]) -> Entry | None:
    """Given all entries that hold one, return whose container could put a link."""
    holders = tuple(above)
    if not any(mount.access == "rw" for one in holders for mount in one.mounts):
        return None
    return next((one for one in holders if not is_roots(one)), None)


def holds(holder: Entry, entry: Entry) -> bool:
    """Return whether the source of *entry* lies in that of *holder*."""
    if holder.source is None or entry is holder:
        return False
    if entry.source is None:
        return entry.within == holder.name
    same = entry.scope == holder.scope
    return same and entry.source.startswith(f"{holder.source}/")


def is_roots(entry: Entry) -> bool:
    """Return whether only root can change what the directory holds."""
    return entry.owner.user in ("root", 0) and not entry.mode & 0o022


def finding_of(entry: Entry, holder: Entry) -> str:
    """Return what is wrong with *entry* in the directory of *holder*."""
    return (
        f'it is mounted and lies in the directory of entry "{holder.name}", where '
        f"{holder.owner.for_output()} with mode {holder.mode:04o} could put a link to "
        "anywhere in its place"
    )


def refuse(entry: Entry, holder: Entry) -> None:
    """Raise InvalidInventory for *entry* in the directory of *holder*."""
    raise refused(
        entry.name,
        finding_of(entry, holder),
        f'Let root own entry "{holder.name}", or give entry "{entry.name}" a source of '
        "its own.",
    )
