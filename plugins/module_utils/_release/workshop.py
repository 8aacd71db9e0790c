# Copyright: (c) 2026, The Agentkeep authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Everything that a run works with, held together."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import Iterator

from .._deploy.reading import Reading
from .._deploy.wanted import Wanted
from .._engine.compose_command import ComposeCommand
from .._engine.engine import Engine, connect
from .._errors import DeploymentRefused
from .._state.marker import LOCK_FILE
from .containers import Containers
from .databases import Databases
from .read import layout_id, opened, read_with
from .resources import Resources
from .store import COMPOSE, Store


@dataclass(frozen=True)
class Workshop:
    """Hold the engine and the store of one deployment while its lock is held."""

    wanted: Wanted
    engine: Engine
    store: Store
    id: str

    @property
    def containers(self) -> Containers:
        """Return what stops, makes and starts containers."""
        command = ComposeCommand(
            self.wanted.engine_socket, self.wanted.project, self.store.shown(COMPOSE)
        )
        return Containers(self.engine, command, self.wanted.waits.health)

    @property
    def databases(self) -> Databases:
        """Return what keeps databases and puts them back."""
        return Databases(self.store)

    @property
    def resources(self) -> Resources:
        """Return what makes networks and volumes."""
        return Resources(self.engine, self.wanted, self.id)

    def read(self) -> Reading:
        """Return the deployment as it is now."""
        return read_with(self.wanted, self.engine, self.store)


@contextlib.contextmanager
def workshop(wanted: Wanted) -> Iterator[Workshop]:
    """Hold a deployment's lock and everything that a run works with."""
    engine = connect(wanted.engine_socket, wanted.waits.engine)
    with opened(wanted) as store:
        own = None if store is None else layout_id(wanted, store)
        if store is None or own is None:
            raise not_laid_out(wanted)
        lock = store.path(LOCK_FILE)
        with store.place.tree.locked(lock, wanted.waits.lock):
            yield Workshop(wanted, engine, store, own)


def not_laid_out(wanted: Wanted) -> DeploymentRefused:
    """Return the error for a deployment whose directories are not there."""
    return DeploymentRefused(
        f'Cannot deploy "{wanted.deployment.name}"',
        f'"{wanted.root}" is not laid out, or by an older version without an id',
        "Run agentkeep.agents.state_layout with the same inventory first.",
    )
