# Copyright: (c) 2026, The Agentkeep authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The way back to a release that was kept."""

from __future__ import annotations

from typing import Iterable

from .._deploy.journal import Journal
from .._deploy.launch import launches_of
from .._deploy.plan import Found
from .._deploy.release import Release
from .databases import database_directories
from .place import FileState
from .store import COMPOSE, ENVIRONMENT, RELEASES
from .workshop import Workshop


def put_back(
    shop: Workshop, target: Release, leaves: Release | None, journal: Journal
) -> tuple[str, ...]:
    """Make everything what it was in *target*; return the databases put back.

    Every step may be repeated: it is called again when it was interrupted.
    """
    found = shop.read().found
    ours = {name: one for name, one in found.items() if one.ours}
    remade = _remade(target, ours, journal.touched)
    _stop(shop, target, ours, remade)
    shop.resources.make(target)
    restored = _databases(shop, target, journal) if journal.copied else ()
    _files(shop, target, leaves, journal)
    shop.store.keep(target.compose, COMPOSE)
    declared = {one.container for one in target.services.values()}
    shop.containers.remove(
        [one.observed for name, one in ours.items() if name not in declared]
    )
    made = {target.services[service].container for service in remade}
    # Compose could not replace what it has not made itself.
    shop.containers.remove([one.observed for name, one in ours.items() if name in made])
    stays = {one.container for one in target.services.values() if one.start} - made
    kept = [one.observed for name, one in ours.items() if name in stays]
    shop.containers.start([one for one in kept if not one.running])
    launches = launches_of(target, remade, shop.store.environments(RELEASES, target.id))
    shop.containers.launch(launches)
    return restored


def _remade(
    target: Release, ours: dict[str, Found], touched: Iterable[str]
) -> tuple[str, ...]:
    """Return the services that are made anew: touched, missing or of another image."""
    changed = set(touched)
    return tuple(
        service
        for service, one in sorted(target.services.items())
        if service in changed
        or one.container not in ours
        or ours[one.container].observed.image_id != one.image_id
    )


def _stop(
    shop: Workshop, target: Release, ours: dict[str, Found], remade: Iterable[str]
) -> None:
    orders = {one.container: one.stop_order for one in target.services.values()}
    stays = {
        one.container
        for service, one in target.services.items()
        if service not in set(remade)
    }
    leaving = [name for name in ours if name not in stays]
    for order in sorted({orders.get(name, 0) for name in leaving}):
        shop.containers.stop(
            [ours[n].observed for n in leaving if orders.get(n, 0) == order]
        )


def _databases(shop: Workshop, target: Release, journal: Journal) -> tuple[str, ...]:
    directories = database_directories(shop.wanted.deployment)
    moved = shop.databases.moved(target, directories)
    for one in moved:
        shop.databases.put_back(target, one, journal.mark)
    return tuple(shop.store.place.shown(one.path) for one in moved)


def _files(
    shop: Workshop, target: Release, leaves: Release | None, journal: Journal
) -> None:
    # A release that ran leaves its live files as they are: the key that it was given
    # since is the one that is good. One that failed takes them along.
    ran = shop.store.index().current == journal.to
    for number, file in enumerate(target.files):
        content = shop.store.released_file(target, number)
        found = shop.store.place.file(file.path) if ran and file.live else None
        if found is not None:
            shop.store.keep(found.content, RELEASES, target.id, "files", str(number))
        elif content is not None:
            state = FileState(file.uid, file.gid, file.mode, content)
            if shop.store.place.file(file.path) != state:
                shop.store.place.write(file.path, state)
    belongs = {file.path for file in target.files}
    for file in leaves.files if leaves else ():
        if file.path not in belongs and not file.generated:
            shop.store.place.remove(file.path)
    environments = shop.store.environments(RELEASES, target.id)
    for service in shop.store.environments():
        if service not in environments:
            shop.store.drop(ENVIRONMENT, f"{service}.env")
    for service, text in environments.items():
        shop.store.write_environment(service, text)
