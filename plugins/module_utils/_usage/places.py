# Copyright: (c) 2026, The Agentkeep authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where the state of a deployment lies, and which parts of it are an area apart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Iterator, Mapping

from .._state.agent import Agent
from .._state.deployment import Deployment
from .._state.entry import Entry
from .values import Place

TRANSCRIPTS = "transcripts"
CACHES = "caches"
CLONES = "repos"
WORKDIRS = "workdirs"
PROJECTS = "projects"
MOST_FORGES = 64


@dataclass(frozen=True)
class Areas:
    """Hold the paths that are no area of the kind of the entry that they lie in.

    ``tops`` are all places of the deployment: what lies in another one is counted
    there alone, asked for or not.
    """

    transcripts: frozenset[str]
    tops: frozenset[str]


def places_of(deployment: Deployment) -> tuple[Place, ...]:
    """Return where each entry of each agent lies, in the order of the inventory."""
    return tuple(
        place
        for entry in deployment.inventory.entries
        for place in _places(deployment, entry)
    )


def _places(deployment: Deployment, entry: Entry) -> Iterator[Place]:
    if entry.volume is None:
        for agent, path in deployment.located(entry):
            yield Place(
                entry=entry.name,
                kind=entry.kind,
                agent=agent.name if agent else None,
                shown=f"{deployment.data_root}/{path}",
                path=path,
                file=entry.form == "file",
            )
        return
    agents = deployment.agents if entry.scope == "agent" else (None,)
    for agent in agents:
        name = deployment.volume(entry, agent)
        yield Place(
            entry=entry.name,
            kind=entry.kind,
            agent=agent.name if agent else None,
            shown=name,
            volume=name,
        )


def areas_of(
    deployment: Deployment, places: tuple[Place, ...], services: Mapping[str, Any]
) -> Areas:
    """Given the containers' services, return where transcripts lie on the host."""
    shown = {(one.entry, one.agent): one.shown for one in places}
    return Areas(
        transcripts=frozenset(
            path
            for agent in (None, *deployment.agents)
            for component, service in services.items()
            for path in _transcripts(deployment, shown, (component, service), agent)
        ),
        tops=frozenset(one.shown for one in places if one.volume is None),
    )


def _transcripts(
    deployment: Deployment,
    shown: Mapping[tuple[str, str | None], str],
    service: tuple[str, Any],
    agent: Agent | None,
) -> Iterator[str]:
    own = {**_mapping(service[1]), **(_mapping(agent.service) if agent else {})}
    directory = own.get("config_directory")
    if not isinstance(directory, str):
        return
    wanted = f"{directory}/{PROJECTS}/"
    held = [
        (mount.target, entry)
        for entry in deployment.inventory.entries
        for mount in entry.mounts
        if mount.component == service[0] and wanted.startswith(f"{mount.target}/")
    ]
    if not held:
        return
    target, entry = max(held, key=lambda one: len(one[0]))
    top = shown.get((entry.name, agent.name if agent else None))
    if top is not None:
        yield f"{top}/{wanted[len(target) + 1 :]}".rstrip("/")


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
