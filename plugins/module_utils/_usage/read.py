# Copyright: (c) 2026, The Agentkeep authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the places of a deployment take, counted as root in trees of agents."""

from __future__ import annotations

from typing import Callable, Iterator, Mapping

from .._errors import AgentkeepError
from .._files.census import Census, is_file, some_names
from .._files.root import open_tree
from .._files.tree import Tree
from .options import Asked
from .places import CACHES, CLONES, MOST_FORGES, TRANSCRIPTS, WORKDIRS
from .values import Amount, Found, Place, Taken

DirectoryOf = Callable[[str], "str | None"]
# Between the number of a place and its area; neither has it.
MARK = "\t"


class _Count:
    """Counts place after place; what lies in another place is counted there."""

    def __init__(self, asked: Asked) -> None:
        self._asked = asked
        self._parts: dict[str, str] = {}
        self._present: set[Place] = set()
        self._errors: dict[Place, str] = {}
        # What is not asked for is kept apart too, and thrown away.
        for path in asked.areas.tops:
            self._parts[path] = f"-{MARK}"
        self._numbers = {one.shown: n for n, one in enumerate(asked.places)}
        for number, place in enumerate(asked.places):
            self._parts[place.shown] = f"{number}{MARK}{place.kind}"
        for path in asked.areas.transcripts:
            holder = self._holder(path)
            self._parts[path] = f"{holder}{MARK}{TRANSCRIPTS}"
        self.census = Census(self._parts, asked.seconds)

    def _holder(self, path: str) -> str:
        """Return the number of the innermost place that a path lies in."""
        for above in (path, *_above(path)):
            if above in self._numbers:
                return str(self._numbers[above])
        return "-"

    def count(self, tree: Tree, place: Place, below: str) -> None:
        """Count a place at *below* of an open tree."""
        *above, name = below.split("/")
        if place.file:
            self._count_file(tree.directory("/".join(above)), name, place)
            return
        directory = tree.directory(below)
        if directory is None:
            return
        self._present.add(place)
        if self._is_inside(place):
            return
        if place.kind == WORKDIRS:
            self._know_clones(directory, place)
        self.census.add(directory, place.shown)

    def _count_file(self, directory: int | None, name: str, place: Place) -> None:
        if directory is None or not is_file(directory, name):
            return
        self._present.add(place)
        # In a place that is a directory, the file is one of that.
        if not self._is_inside(place):
            self.census.add_file(directory, name, place.shown)

    def refuse(self, place: Place, error: str) -> None:
        """Note why a place could not be counted."""
        self._errors[place] = error

    def _is_inside(self, place: Place) -> bool:
        """Return whether the count of another place comes by here."""
        return place.volume is None and any(
            above in self._numbers for above in _above(place.shown)
        )

    def _know_clones(self, directory: int, place: Place) -> None:
        number = self._parts[place.shown].split(MARK)[0]
        for forge in some_names(directory, MOST_FORGES):
            self._parts[f"{place.shown}/{forge}/{CLONES}"] = f"{number}{MARK}{CACHES}"

    def found(self) -> Found:
        """Return everything that was counted."""
        areas = self._areas()
        return Found(
            places=tuple(
                Taken(
                    place=place,
                    areas=areas.get(str(number), {}),
                    present=place in self._present,
                    error=self._errors.get(place),
                )
                for number, place in enumerate(self._asked.places)
            ),
            seconds=self.census.seconds,
            whole=self.census.whole,
            problems=self.census.problems,
        )

    def _areas(self) -> Mapping[str, Mapping[str, Amount]]:
        found: dict[str, dict[str, Amount]] = {}
        for name, tally in sorted(self.census.tallies.items()):
            number, area = name.split(MARK)
            found.setdefault(number, {})[area] = Amount(tally.bytes, tally.files)
        return found


def read_usage(asked: Asked, directory_of: DirectoryOf) -> Found:
    """Count every place; *directory_of* says where on the host a volume lies."""
    count = _Count(asked)
    tree, _missing = open_tree(asked.data_root, asked.managed)
    if tree is not None:
        with tree:
            for place in asked.places:
                if place.volume is None:
                    _guarded(count, place, tree)
    for place in asked.places:
        if place.volume is not None:
            _volume(count, place, directory_of)
    return count.found()


def _above(path: str) -> Iterator[str]:
    """Yield the directories that a path lies in, the innermost first."""
    while "/" in path:
        path = path.rpartition("/")[0]
        yield path


def _guarded(count: _Count, place: Place, tree: Tree, below: str | None = None) -> None:
    try:
        count.count(tree, place, place.path if below is None else below)
    except AgentkeepError as error:
        count.refuse(place, str(error))


def _volume(count: _Count, place: Place, directory_of: DirectoryOf) -> None:
    try:
        root = directory_of(str(place.volume))
        tree, _missing = (None, ()) if root is None else open_tree(root, False)
    except AgentkeepError as error:
        count.refuse(place, str(error))
        return
    if tree is not None:
        with tree:
            _guarded(count, place, tree, "")
