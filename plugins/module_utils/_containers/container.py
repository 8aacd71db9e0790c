# Copyright: (c) 2026, The Agentkeep authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A container as it is declared: the value that everything else is made from."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Mapping

from .._mounts.mount import EffectiveMount
from .service import Service

LABEL = "agentkeep."
DEPLOYMENT_LABEL = "agentkeep.deployment"
ID_LABEL = "agentkeep.id"
COMPONENT_LABEL = "agentkeep.component"
AGENT_LABEL = "agentkeep.agent"
SETTINGS_LABEL = "agentkeep.settings"


@dataclass(frozen=True)
class Container(Service):
    """Hold one declared container: its service, and what the deployment adds to it.

    ``name`` is the engine's name of it, ``service`` the short one ("control",
    "agent-main"), ``networks`` the engine's names of its networks, ``user`` is
    "uid:gid" inside it. ``start`` is false for an agent that is made and not started.
    ``managed`` says that we make it: then what is not declared must be the image's own.
    """

    name: str = ""
    service: str = ""
    component: str = ""
    agent: str | None = None
    user: str | None = None
    image_id: str | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    mounts: tuple[EffectiveMount, ...] = ()
    start: bool = True
    managed: bool = True

    @property
    def memory_directories(self) -> tuple[str, ...]:
        """Return its temporary directories, each with the engine's options.

        They belong to the user: the engine gives one the mode of a directory that the
        image, or an earlier start, has in its place.
        """
        uid, colon, gid = (self.user or "").partition(":")
        owner = f",uid={uid},gid={gid}" if colon else ""
        return tuple(f"{one.target}:{one.options}{owner}" for one in self.temporary)

    @property
    def settings(self) -> str | None:
        """Return the hash of the component's files and secrets."""
        return self.labels.get(SETTINGS_LABEL)


@dataclass(frozen=True)
class DeclaredIdentity:
    """Hold what a declaration takes from the host and from the engine.

    ``settings`` and ``images`` are by short name of the service: the hash of its files
    and secrets, and the id of its image. ``references`` are by it too: the reference
    that compose uses in place of the declared one, such as a release's own tag.
    """

    id: str
    settings: Mapping[str, str] = field(default_factory=dict)
    images: Mapping[str, str] = field(default_factory=dict)
    references: Mapping[str, str] = field(default_factory=dict)
