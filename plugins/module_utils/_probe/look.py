# Copyright: (c) 2026, The Agentkeep authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is tried inside a container, as plain calls of the operating system.

This runs in a child that has become the container's user in the container's mounts.
Nothing may be imported here once it runs: the files would be the container's.
"""

from __future__ import annotations

import errno
import os
import time
from typing import Any, Mapping

from .attempt import HOLD_DIRECTORY, Writing
from .notes import Notes, Refusal, Spot
from .task import PLACE_BYTES, TURN_BYTES, Place, Task
from .transcripts import Transcripts


class Look:
    """Try everything that a task names; *own* is /proc/self/fd, held open."""

    def __init__(self, task: Task, writing: Writing, own: int) -> None:
        self._task = task
        self._writing = writing
        self._own = own
        self._notes = Notes()
        self._absent = False

    def answer(self) -> Mapping[str, Any]:
        """Return what was refused, how much was looked at, and how long it took."""
        started = time.monotonic()
        for place in self._task.places:
            self._try(place, "place")
        temporary = self._task.temporary
        if temporary is not None and temporary.startswith("/"):
            self._try(Place(entry=None, mount=temporary), "temporary")
        counts: Mapping[str, int] = {}
        if self._task.transcripts is not None:
            counts = self._try_projects(self._task.transcripts)
        return {
            "faults": self._notes.faults,
            "more": self._notes.more,
            "transcripts": counts,
            "seconds": time.monotonic() - started,
        }

    def _try(self, place: Place, subject: str) -> None:
        held = self._reach(place, subject)
        if held is None:
            return
        refusal = self._writing.file(held, PLACE_BYTES, durable=True)
        if refusal is not None:
            self._notes.add(Spot(subject, place, place.path), refusal, os.fstat(held))
        os.close(held)

    def _try_projects(self, place: Place) -> Mapping[str, int]:
        seen = Transcripts(place, self._task.sessions, self._notes)
        held = self._reach(place, "projects")
        if held is None:
            if self._absent:
                seen.note_missing()
            return seen.counts
        refusal = self._writing.file(held, TURN_BYTES, durable=True)
        refusal = refusal or self._writing.directory(held)
        if refusal is not None:
            self._notes.add(
                Spot("projects", place, place.path), refusal, os.fstat(held)
            )
        seen.look(held, (self._writing, self._own, refusal))
        os.close(held)
        return seen.counts

    def _reach(self, place: Place, subject: str) -> int | None:
        """Return the place held open, or None once it is noted why it is not there."""
        held = self._mounted(place, subject)
        for index, name in enumerate(place.below):
            if held is None:
                return None
            try:
                below: int | None = os.open(name, HOLD_DIRECTORY, dir_fd=held)
            except OSError as error:
                refusal: Refusal | None = Refusal("reach", error.errno or 0)
                if error.errno == errno.ENOENT and subject == "projects":
                    # The CLI makes what is missing, if it may.
                    self._absent = True
                    refusal = self._made(held)
                if refusal is not None:
                    path = "/".join((place.mount, *place.below[: index + 1]))
                    spot = Spot(subject, place, path)
                    self._notes.add(spot, refusal, os.fstat(held))
                below = None
            os.close(held)
            held = below
        return held

    def _made(self, above: int) -> Refusal | None:
        refusal = self._writing.directory(above)
        return None if refusal is None else Refusal("make", refusal.number)

    def _mounted(self, place: Place, subject: str) -> int | None:
        spot = Spot(subject, place, place.mount)
        try:
            # Links on the way belong to the image; what is found is compared.
            held = os.open(place.mount, HOLD_DIRECTORY & ~os.O_NOFOLLOW)
        except OSError as error:
            self._notes.add(spot, Refusal("reach", error.errno or 0), None)
            return None
        found = os.fstat(held)
        own = (found.st_dev, found.st_ino)
        if place.inode is None or (place.device, place.inode) == own:
            return held
        os.close(held)
        self._notes.add(spot, Refusal("mounted"), found)
        return None
