# Copyright: (c) 2026, The Agentkeep authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Networks, volumes and names of images that containers need."""

from __future__ import annotations

import os
from typing import Iterable, Mapping

from .._containers.container import (
    COMPONENT_LABEL,
    DEPLOYMENT_LABEL,
    ID_LABEL,
    Container,
)
from .._deploy.release import Release, release_repository, release_tag
from .._deploy.wanted import Wanted
from .._engine.engine import Engine, Inspected
from .._errors import DeploymentRefused
from .._files.descent import DIRECTORY
from .._files.refusals import explained

STATE = "state"
NETWORK = "network"
PROJECT_LABEL = "com.docker.compose.project"


class Resources:
    """Make what is missing, and take away what is not used any more."""

    def __init__(self, engine: Engine, wanted: Wanted, id: str) -> None:
        self._engine = engine
        self._wanted = wanted
        self._id = id

    def make(self, release: Release, containers: Iterable[Container] = ()) -> None:
        """Make the networks and volumes that a release uses, and name its images."""
        for name in sorted(
            {n for one in release.services.values() for n in one.networks}
        ):
            found = self._engine.network(name)
            if found is None:
                self._engine.make_network(name, self._labels(NETWORK))
            else:
                self._demand_ours("network", name, found)
        for one in containers:
            self._make_volumes(one)
        repository = release_repository(self._wanted.deployment.name)
        for image in sorted({one.image_id for one in release.services.values()}):
            self._engine.tag(image, repository, release_tag(image))

    def tidy(self, kept: Iterable[Release]) -> None:
        """Remove networks that no kept release uses, and names of other images."""
        known = tuple(kept)
        self.tidy_networks(known)
        services = [one for release in known for one in release.services.values()]
        self.untag({release_tag(one.image_id) for one in services})

    def tidy_networks(self, kept: Iterable[Release]) -> None:
        """Remove networks that no kept release uses."""
        services = [one for release in kept for one in release.services.values()]
        used = {name for one in services for name in one.networks}
        for name in self._engine.networks(self._wanted.deployment.name, self._id):
            if name not in used:
                self._engine.remove_network(name)

    def untag(self, kept: Iterable[str] = ()) -> None:
        """Take the names of releases away from images, but for the tags kept."""
        repository = release_repository(self._wanted.deployment.name)
        wanted = {f"{repository}:{tag}" for tag in kept}
        for name in self._engine.tags(repository):
            if name not in wanted:
                self._engine.untag(name)

    def _make_volumes(self, one: Container) -> None:
        for mount in one.mounts:
            if mount.type != "volume":
                continue
            found = self._engine.volume(mount.source)
            if found is None:
                found = self._engine.make_volume(mount.source, self._labels(STATE))
            else:
                self._demand_ours("volume", mount.source, found)
            if found.get("Driver", "local") == "local" and not found.get("Options"):
                self._give(str(found["Mountpoint"]), mount.entry, one.agent)

    def _give(self, mountpoint: str, entry_name: str, agent: str | None) -> None:
        """Give a volume that nobody wrote to yet to the owner of its entry (A10)."""
        entry = self._wanted.deployment.inventory.entry(entry_name)
        if entry is None:
            return
        holder = next(
            (a for a in self._wanted.deployment.agents if a.name == agent), None
        )
        owner = self._wanted.deployment.ids(
            entry, holder if entry.scope == "agent" else None
        )
        with explained("give away", mountpoint):
            descriptor = os.open(mountpoint, DIRECTORY)
            try:
                if not os.listdir(descriptor):
                    os.fchown(descriptor, *owner)
                    os.fchmod(descriptor, entry.mode)
            finally:
                os.close(descriptor)

    def _labels(self, component: str) -> dict[str, str]:
        return {
            DEPLOYMENT_LABEL: self._wanted.deployment.name,
            ID_LABEL: self._id,
            COMPONENT_LABEL: component,
        }

    def _demand_ours(self, kind: str, name: str, found: Inspected) -> None:
        labels: Mapping[str, str] = found.get("Labels") or {}
        if labels.get(ID_LABEL, self._id) != self._id:
            raise DeploymentRefused(
                f'Cannot use the {kind} "{name}"',
                "it belongs to another deployment of that name",
                "Rename this deployment, or remove the other one.",
            )
        if not self._is_marked(labels):
            raise DeploymentRefused(
                f'Cannot use the {kind} "{name}"',
                "it has no label of this deployment, so that somebody else made it",
                f"Find out who uses it, then remove it (docker {kind} rm), or rename "
                "this deployment.",
            )

    def _is_marked(self, labels: Mapping[str, str]) -> bool:
        """Return whether this deployment made it, with an id or before it had one."""
        return (
            labels.get(ID_LABEL) == self._id
            or labels.get(DEPLOYMENT_LABEL) == self._wanted.deployment.name
            or labels.get(PROJECT_LABEL) == self._wanted.project
        )
