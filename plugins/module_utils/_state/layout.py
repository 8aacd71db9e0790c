# Copyright: (c) 2026, The Agentkeep authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The directories that a deployment's state inventory asks for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Iterator, Tuple

from .._errors import InvalidInput
from .deployment import Agent, Deployment
from .entry import Entry
from .marker import Marker

PASSAGE_MODE = 0o711

Parts = Tuple[str, ...]


@dataclass(frozen=True)
class Directory:
    """Hold one directory, by its path below the data root, as it should be."""

    path: str
    entry: str
    uid: int
    gid: int
    mode: int
    repairable: bool = False
    when_present: bool = False


@dataclass(frozen=True)
class Layout:
    """Hold every directory of a deployment, parents first.

    ``apart`` are the paths on the host at which an entry begins.
    """

    data_root: str
    deployment: str
    directories: tuple[Directory, ...]
    tops: tuple[Directory, ...]
    marker: Marker
    apart: frozenset[str] = frozenset()
    managed: bool = True
    repair: bool = False
    lock_wait_seconds: int = 60

    @property
    def root(self) -> str:
        """Return the deployment's directory on the host."""
        return f"{self.data_root}/{self.deployment}"

    @property
    def repaired(self) -> tuple[Directory, ...]:
        """Return the directories whose content is given to their owners."""
        # Root's entries hold files that a role hands to others on purpose, and
        # sockets belong to whoever listens on them.
        return tuple(one for one in self.tops if self.repair and one.repairable)


@dataclass(frozen=True)
class Order:
    """Hold how a layout is to be carried out."""

    repair: bool = False
    lock_wait_seconds: int = 60
    ids_known: bool = True


AS_DECLARED = Order()


def layout_of(deployment: Deployment, order: Order = AS_DECLARED) -> Layout:
    """Given a deployment, return its layout; raise InvalidInput on a clash."""
    declared: dict[Parts, Directory] = {}
    tops: dict[str, Directory] = {}
    for entry in deployment.inventory.entries:
        if entry.volume is not None or entry.form == "file":
            continue
        for agent, top in deployment.located(entry):
            wanted = list(_directories(deployment, entry, agent, top))
            tops[top] = wanted[0]
            for directory in wanted:
                _declare(declared, directory)
    if deployment.managed:
        _add_passages(declared, deployment)
    return Layout(
        data_root=deployment.data_root,
        deployment=deployment.name,
        directories=tuple(declared[parts] for parts in sorted(declared)),
        tops=tuple(tops.values()),
        marker=_marker(deployment, order),
        apart=frozenset(f"{deployment.data_root}/{top}" for top in tops),
        managed=deployment.managed,
        repair=order.repair,
        lock_wait_seconds=order.lock_wait_seconds,
    )


def _marker(deployment: Deployment, order: Order) -> Marker:
    return Marker(
        deployment=deployment.name,
        id_map=deployment.id_map if order.ids_known else None,
        agents={one.name: one.identity for one in deployment.agents},
        components=deployment.components,
    )


def _directories(
    deployment: Deployment, entry: Entry, agent: Agent | None, top: str
) -> Iterator[Directory]:
    uid, gid = deployment.ids(entry, agent)
    for path in (top, *(f"{top}/{below}" for below in entry.directories)):
        yield Directory(
            path=path,
            entry=entry.name,
            uid=uid,
            gid=gid,
            mode=entry.mode,
            repairable=uid != 0,
            when_present=entry.when_present,
        )


def _declare(declared: dict[Parts, Directory], directory: Directory) -> None:
    parts = tuple(directory.path.split("/"))
    other = declared.setdefault(parts, directory)
    if other != directory:
        raise InvalidInput(
            f'Cannot lay out "{directory.path}"',
            f'entry "{other.entry}" and entry "{directory.entry}" both declare it',
            "Change the source or the directories of one of them.",
        )


def _add_passages(declared: dict[Parts, Directory], deployment: Deployment) -> None:
    fixed: list[Parts] = [
        (deployment.name, "agents", agent.name) for agent in deployment.agents
    ]
    fixed += [(deployment.name, "agents"), (deployment.name, "shared")]
    made = [parts for parts, one in declared.items() if not one.when_present]
    for parts in [*made, *fixed]:
        for length in range(1, len(parts) + 1):
            if parts[:length] not in declared:
                above = declared.get(parts[: length - 1])
                declared[parts[:length]] = _passage(parts[:length], above)


def _passage(parts: Parts, above: Directory | None) -> Directory:
    path = "/".join(parts)
    if above is None or not above.entry:
        return Directory(path=path, entry="", uid=0, gid=0, mode=PASSAGE_MODE)
    return Directory(
        path=path, entry=above.entry, uid=above.uid, gid=above.gid, mode=above.mode
    )
