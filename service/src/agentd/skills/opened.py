# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""The places of a sync, opened once: everything below is reached by descriptors."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from agentd.skills.area import Area, Exchange
from agentd.skills.found import Found, unread
from agentd.skills.manifest import COPY, open_state
from agentd.skills.tree import OPEN_DIRECTORY, SkillRefused
from agentd.skills.values import BUILT_IN, ORG, UPLOADED, USER, Limits, SkillPlaces

# The operator names these; what is below them is never followed.
_FOLLOWED = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC


@dataclass
class Opened:
    """The directories, and those of them that are written to."""

    places: SkillPlaces
    limits: Limits
    found: dict[str, Found]
    destination: Area
    state: int
    exchange: Exchange
    _user: Area | None = None

    def user(self) -> Area:
        """Return the user directory, made if it is not there."""
        if self._user is None:
            root = _make(self.places.user)
            self.found[USER].root = os.dup(root)
            self._user = Area(root, self.limits, self.exchange, durable=True)
        return self._user

    def mark_user(self) -> bool:
        """Mark the user directory, if there is one; return whether it is marked."""
        return self._user is not None and self._user.mark()

    def areas(self) -> list[Area]:
        """Return the directories that are written to and are there."""
        return [self.destination, *([self._user] if self._user else [])]

    def close(self) -> None:
        """Close everything; empty staging directories go."""
        for area in self.areas():
            area.close()
        os.close(self.state)
        for found in self.found.values():
            if found.root is not None:
                os.close(found.root)


@contextmanager
def open_places(
    places: SkillPlaces, limits: Limits, exchange: Exchange
) -> Iterator[Opened]:
    """Open them; raise OSError or SkillRefused if no sync is possible."""
    root = _make(places.destination)
    try:
        state = _open_state(places.state)
    except OSError:
        os.close(root)
        raise
    opened = Opened(
        places=places,
        limits=limits,
        found={},
        destination=Area(root, limits, exchange, durable=False),
        state=state,
        exchange=exchange,
    )
    try:
        opened.found[COPY] = Found(places.destination, os.dup(root))
        opened.found[ORG] = _source(places.org, _FOLLOWED)
        opened.found[BUILT_IN] = _source(places.built_in, _FOLLOWED)
        opened.found[UPLOADED] = _source(places.uploaded, OPEN_DIRECTORY)
        opened.found[USER] = _source(places.user, OPEN_DIRECTORY)
        user = opened.found[USER].root
        if user is not None:
            opened._user = Area(os.dup(user), limits, exchange, durable=True)
        _refuse_same(opened)
        yield opened
    finally:
        opened.close()


def _source(path: Path | None, flags: int) -> Found:
    found = Found(path)
    if path is None:
        return found
    try:
        found.root = os.open(path, flags)
    except FileNotFoundError:
        pass
    except OSError as error:
        found.readable = False
        found.warnings.append(unread(path, error))
    return found


def _refuse_same(opened: Opened) -> None:
    status = os.fstat(opened.destination.root)
    for place, found in opened.found.items():
        if place == COPY or found.root is None:
            continue
        if os.path.samestat(os.fstat(found.root), status):
            raise SkillRefused(f"it is the same directory as {found.path}")


def _make(path: Path) -> int:
    above = os.open(path.parent, OPEN_DIRECTORY)
    try:
        with suppress(FileExistsError):
            os.mkdir(path.name, 0o750, dir_fd=above)
        return os.open(path.name, OPEN_DIRECTORY, dir_fd=above)
    finally:
        os.close(above)


def _open_state(path: Path) -> int:
    config = os.open(path.parent.parent, OPEN_DIRECTORY)
    try:
        return open_state(config, path.parent.name)
    finally:
        os.close(config)
