# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Who was lost, by what one observer saw himself.

No clock of another host is looked at, and no time in which the observer itself could
not see: when the database was away, nobody was lost by that.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from agentd.database.hosts import Host


@dataclass(frozen=True)
class Sighting:
    """A host as it was seen last, and since when it did not change."""

    host: Host
    since: float


@dataclass(frozen=True)
class Sightings:
    """What an observer saw without a break, and when it looked last."""

    at: float | None = None
    seen: Mapping[str, Sighting] = field(default_factory=dict)

    def look(
        self, hosts: Mapping[str, Host], now: float, longest_gap: float
    ) -> Sightings:
        """Return this with what is seen now; after a gap all begins anew."""
        unbroken = self.at is not None and now - self.at <= longest_gap
        before = self.seen if unbroken else {}
        return Sightings(
            now, {name: _see(before, host, now) for name, host in hosts.items()}
        )

    def broken(self) -> Sightings:
        """Return this after a look that failed."""
        return replace(self, at=None)

    def lost(self, lost_seconds: float) -> frozenset[str]:
        """Return the hosts that did not change for so long."""
        if self.at is None:
            return frozenset()
        return frozenset(
            name
            for name, one in self.seen.items()
            if self.at - one.since >= lost_seconds
        )


def _see(before: Mapping[str, Sighting], host: Host, now: float) -> Sighting:
    last = before.get(host.name)
    if last is not None and last.host == host:
        return last
    return Sighting(host, now)
