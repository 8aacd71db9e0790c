# Copyright: (c) 2026, The Agentkeep authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A deployment read from the host and from the engine."""

from __future__ import annotations

import fnmatch
import secrets
from dataclasses import replace
from typing import Any, Iterable, Mapping

from .._containers.container import Container, DeclaredIdentity
from .._containers.declare import containers_of
from .._containers.observed import Observed, SourceState
from .._deploy.file_plan import FoundFile, PlacedFile
from .._deploy.plan import Found
from .._deploy.reading import Reading
from .._deploy.wanted import Wanted
from .._engine.engine import Engine, Listed, is_ours
from .._engine.mount_table import read_mount_table, read_source
from .._errors import AgentkeepError
from .._files.root import open_tree
from .._files.tree import Tree
from .._files.trust import demand_trusted
from .._state.marker import MARKER_FILE, MARKER_LIMIT_BYTES, Marker
from .place import Place
from .store import COMPOSE, Store

NOT_OURS = (
    "Find out who put it there, then run agentkeep.agents.state_layout, which gives it "
    "to root."
)


class HeldStore:
    """Hold the store of a deployment open; there is none without a data root."""

    def __init__(self, tree: Tree | None, deployment: str, managed: bool) -> None:
        self._tree = tree
        self._deployment = deployment
        self._managed = managed

    def __enter__(self) -> Store | None:
        if self._tree is None:
            return None
        if self._managed:
            self._demand_own(self._tree)
        return Store(Place(self._tree), self._deployment, self._managed)

    def __exit__(self, *given: object) -> None:
        if self._tree is not None:
            self._tree.__exit__(*given)

    def _demand_own(self, tree: Tree) -> None:
        try:
            found = tree.status(self._deployment)
            if found is not None:
                path = f"{tree.root}/{self._deployment}"
                demand_trusted(found.uid, path, NOT_OURS)
        except AgentkeepError:
            self.__exit__()
            raise


def opened(wanted: Wanted) -> HeldStore:
    """Return the store of a deployment, to be held open."""
    deployment = wanted.deployment
    tree, _missing = open_tree(deployment.data_root, deployment.managed)
    return HeldStore(tree, deployment.name, deployment.managed)


def read_all(wanted: Wanted, engine: Engine) -> Reading:
    """Return the deployment as it is now."""
    with opened(wanted) as store:
        return read_with(wanted, engine, store)


def read_with(wanted: Wanted, engine: Engine, store: Store | None) -> Reading:
    """Return the deployment as it is now, through a store that is held open."""
    kept = Reading() if store is None else _read_store(wanted, store)
    bare = containers_of(
        wanted.deployment,
        wanted.mounts,
        wanted.services,
        DeclaredIdentity(id=kept.id or ""),
    )
    matches = {} if wanted.deployment.managed else _matches(engine, bare)
    return replace(
        kept,
        found=read_containers(wanted, engine, kept.id, _named(bare, matches)),
        matches=matches,
        images=_images(engine, {one.image for one in bare if one.image}),
    )


def read_containers(
    wanted: Wanted, engine: Engine, id: str | None, declared: Iterable[Container]
) -> dict[str, Found]:
    """Return the containers that are declared, or are this deployment's."""
    by_name = {one.name: one for one in declared}
    managed = wanted.deployment.managed
    reader = _ContainerReader(engine, wanted.deployment.data_root)
    found: dict[str, Found] = {}
    for one in engine.containers():
        ours = managed and is_ours(one.labels, wanted.deployment.name, id)
        if ours or one.name in by_name:
            observed = reader.observed(one.id, by_name.get(one.name))
            if observed is not None:
                found[one.name] = Found(observed, ours or not managed)
    return found


def _matches(engine: Engine, bare: Iterable[Container]) -> dict[str, tuple[str, ...]]:
    """Return the names of the containers that another program made of each."""
    listed = engine.containers()
    return {
        one.name: tuple(sorted(other.name for other in listed if _is_found(one, other)))
        for one in bare
    }


def _named(
    bare: Iterable[Container], matches: Mapping[str, tuple[str, ...]]
) -> list[Container]:
    return [
        replace(one, name=name)
        for one in bare
        for name in matches.get(one.name) or (one.name,)
    ]


def _is_found(own: Container, listed: Listed) -> bool:
    find = own.find
    if find is None:
        return listed.name == own.name
    named = find.name is None or fnmatch.fnmatchcase(listed.name, find.name)
    return named and all(listed.labels.get(k) == v for k, v in find.labels.items())


class _ContainerReader:
    """Read containers, each image of theirs and each source on the host once."""

    def __init__(self, engine: Engine, trusted: str) -> None:
        self._engine = engine
        self._trusted = trusted
        self._images: dict[str, Mapping[str, Any] | None] = {}
        self._sources: dict[str, SourceState] = {}

    def observed(self, container: str, declared: Container | None) -> Observed | None:
        inspected = self._engine.inspect(container)
        if inspected is None:
            return None
        mounts = declared.mounts if declared else ()
        pid = (inspected.get("State") or {}).get("Pid") or 0
        table = None
        if pid and declared is not None:
            table = read_mount_table(pid, [mount.target for mount in mounts])
        return Observed.from_inspect(
            inspected,
            self._image(inspected.get("Image") or ""),
            table,
            {m.target: self._source(m.source) for m in mounts if m.type == "bind"},
        )

    def _image(self, image: str) -> Mapping[str, Any] | None:
        if image not in self._images:
            found = self._engine.image(image) if image else None
            self._images[image] = found.get("Config") or {} if found else None
        return self._images[image]

    def _source(self, path: str) -> SourceState:
        if path not in self._sources:
            self._sources[path] = read_source(path, self._trusted)
        return self._sources[path]


def _images(engine: Engine, references: Iterable[str]) -> dict[str, str]:
    found = {}
    for reference in sorted(references):
        image = engine.image(reference)
        if image is not None:
            found[reference] = str(image["Id"])
    return found


def _read_store(wanted: Wanted, store: Store) -> Reading:
    index = store.index()
    releases = {
        name: release
        for name in index.kept()
        for release in [store.release(name)]
        if release is not None
    }
    files = {
        one.path: found
        for one in wanted.files
        for found in [_found(store.place, one)]
        if found is not None
    }
    current = releases.get(index.current or "")
    for released in current.files if current else ():
        if released.path not in files and store.place.exists(released.path):
            files[released.path] = FoundFile(0, 0, 0)
    compose = store.text(COMPOSE)
    return Reading(
        id=layout_id(wanted, store),
        files=files,
        tokens={
            one.path: _token(one) for one in wanted.files if one.policy == "generate"
        },
        environments=store.environments(),
        compose=None if compose is None else compose.decode("utf-8", "replace"),
        index=index,
        releases=releases,
        journal=store.journal(),
        generated=store.generated(),
    )


def _found(place: Place, file: PlacedFile) -> FoundFile | None:
    if file.policy == "keep":
        return FoundFile(0, 0, 0) if place.exists(file.path) else None
    found = place.file(file.path)
    if found is None:
        return None
    return FoundFile(found.uid, found.gid, found.mode, found.content)


def _token(file: PlacedFile) -> bytes:
    return secrets.token_urlsafe(file.length)[: file.length].encode()


def layout_id(wanted: Wanted, store: Store) -> str | None:
    """Return the id of the deployment, or None if it is not laid out."""
    if not wanted.deployment.managed:
        return None
    name = wanted.deployment.name
    content = store.place.tree.read(f"{name}/{MARKER_FILE}", MARKER_LIMIT_BYTES)
    marker = Marker.from_content(content, wanted.root, name)
    return marker.id if marker else None
