# Copyright: (c) 2026, The Agentkeep authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A deployment taken away: its containers and generated files, or all of it."""

from __future__ import annotations

from .._deploy.decide import Verdict, decide_removal
from .._deploy.order import stop_sequence
from .._deploy.reading import Reading
from .._deploy.wanted import Wanted
from .._engine.engine import Engine
from .._errors import DeploymentFailed
from .read import read_containers
from .workshop import Workshop


def removal_of(wanted: Wanted, engine: Engine, reading: Reading) -> Verdict:
    """Return what is removed, as the engine and the host list it now."""
    own = reading.id or ""
    name = wanted.deployment.name
    volumes = engine.volumes(name, own) if own else ()
    networks = engine.networks(name, own) if own else ()
    return decide_removal(reading, wanted, volumes, networks)


def take_away(shop: Workshop) -> Verdict:
    """Remove what was decided, and make sure by listing that it is gone (A18, K07)."""
    reading = shop.read()
    verdict = removal_of(shop.wanted, shop.engine, reading)
    steps = verdict.decision.steps
    for group in stop_sequence(steps, shop.wanted.stop_orders):
        found = [one.observed for one in group if one.observed]
        shop.containers.stop(found)
        shop.containers.remove(found)
    own = (shop.wanted.deployment.name, shop.id)
    for name in shop.engine.networks(*own):
        shop.engine.remove_network(name)
    for step in verdict.files:
        shop.store.place.remove(step.file.path)
    shop.store.remove_generated()
    shop.resources.untag()
    _wipe(shop, verdict)
    _demand_gone(shop, verdict)
    return verdict


def _wipe(shop: Workshop, verdict: Verdict) -> None:
    for volume in verdict.wiped.get("volumes", ()):
        shop.engine.remove_volume(volume)
    for directory in verdict.wiped.get("directories", ()):
        shop.store.place.remove_all(directory)


def _demand_gone(shop: Workshop, verdict: Verdict) -> None:
    own = (shop.wanted.deployment.name, shop.id)
    left = [
        name
        for name, one in read_containers(shop.wanted, shop.engine, shop.id, ()).items()
        if one.ours
    ]
    left += shop.engine.networks(*own)
    if shop.wanted.wipe:
        left += shop.engine.volumes(*own)
        left += [
            shop.store.place.shown(one)
            for one in verdict.wiped["directories"]
            if shop.store.place.exists(one)
        ]
    if left:
        raise DeploymentFailed(
            f'Cannot remove all of "{shop.wanted.deployment.name}"',
            "these are still there: " + ", ".join(left),
            "Stop what holds or makes them, then run again.",
        )
