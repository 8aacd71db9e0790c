# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""Look at all places of skills; hash only what was touched since the last sync."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from agentd.skills.content import digest_of
from agentd.skills.decide import UNREADABLE, Seen
from agentd.skills.found import Found
from agentd.skills.manifest import COPY, Entry, Manifest
from agentd.skills.tree import SkillRefused
from agentd.skills.values import BUILT_IN, ORG, UPLOADED, USER


@dataclass
class Sight:
    """What was found in each place, and the digests with their signatures."""

    places: Mapping[str, Found]
    manifest: Manifest
    selection: Collection[str] | None
    user_directory_gone: bool
    signed: dict[str, dict[str, tuple[str, str]]] = field(default_factory=dict)

    def names(self) -> list[str]:
        """Return every name that is a skill somewhere, or was one."""
        names = set(self.manifest.entries)
        for found in self.places.values():
            names |= found.names()
        return sorted(names)

    def seen(self, name: str) -> Seen:
        """Return one skill as digests; hash what has no known signature."""
        entry = self.manifest.entries.get(name)
        return Seen(
            org=self._digest(ORG, name, entry),
            built_in=self._digest(BUILT_IN, name, entry),
            uploaded=self._digest(UPLOADED, name, entry),
            user=self._digest(USER, name, entry),
            copy=self._digest(COPY, name, entry),
            entry=entry,
            selected=self.selection is None or name in self.selection,
            manifest_known=self.manifest.known,
            user_directory_gone=self.user_directory_gone,
        )

    def _digest(self, place: str, name: str, entry: Entry | None) -> str | None:
        found = self.places[place]
        if name in found.refused or name in found.failed:
            return UNREADABLE
        tree = found.trees.get(name)
        if tree is None or found.root is None:
            return self._of_absent(place, found, entry)
        known = entry.seen.get(place) if entry else None
        if known is None or known[0] != tree.signature:
            try:
                known = tree.signature, digest_of(found.root, name, tree)
            except SkillRefused as error:
                found.refuse(name, error)
                return UNREADABLE
            except OSError as error:
                found.fail(name, error)
                return UNREADABLE
        self.signed.setdefault(name, {})[place] = known
        return known[1]

    @staticmethod
    def _of_absent(place: str, found: Found, entry: Entry | None) -> str | None:
        """Return what is known of a skill that was not seen: that it is not there.

        Where the whole directory cannot be read, nobody knows.
        """
        put_from_there = entry is not None and any(
            put.tier == place for put in entry.puts
        )
        return UNREADABLE if not found.readable and put_from_there else None
