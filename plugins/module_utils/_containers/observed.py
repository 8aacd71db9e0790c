# Copyright: (c) 2026, The Agentkeep authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a container and the sources of its mounts really are, read from the engine."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Mapping

from .parts import Health, Port, Temporary


@dataclass(frozen=True)
class MountPoint:
    """Hold a line of a container's mount table.

    ``source_root`` is the path that is mounted, inside its file system; ``deleted``
    says that the directory which the container holds has no name any more.
    """

    target: str
    source_root: str
    read_only: bool
    deleted: bool = False
    device: int | None = None
    inode: int | None = None


@dataclass(frozen=True)
class SourceState:
    """Hold what lies at the source of a bind mount on the host; links not followed."""

    exists: bool
    device: int | None = None
    inode: int | None = None
    uid: int | None = None
    gid: int | None = None
    mode: int | None = None


@dataclass(frozen=True)
class ObservedMount:
    """Hold a mount that the engine knows of a container."""

    type: str
    source: str
    target: str
    access: str


@dataclass(frozen=True)
class Observed:
    """Hold a container as the engine reports it, in the words of a declared one.

    ``image`` is the configuration of its image, or None where the image is gone.
    """

    id: str
    name: str
    state: str
    health: str | None
    exit_code: int
    image: str
    image_id: str
    user: str
    working_directory: str
    arguments: tuple[str, ...]
    restart: str
    stop_grace_seconds: int | None
    environment: Mapping[str, str] = field(repr=False, default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    mounts: tuple[ObservedMount, ...] = ()
    networks: tuple[str, ...] = ()
    ports: tuple[Port, ...] = ()
    check: Health | None = None
    read_only: bool = False
    capabilities: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    security: Mapping[str, Any] = field(default_factory=dict)
    temporary: tuple[Temporary, ...] = ()
    limits: Mapping[str, Any] = field(default_factory=dict)
    logging: Mapping[str, Any] = field(default_factory=dict)
    init: bool = False
    image_config: Mapping[str, Any] | None = field(default=None, repr=False)
    mount_table: tuple[MountPoint, ...] | None = None
    sources: Mapping[str, SourceState] = field(default_factory=dict)

    @property
    def running(self) -> bool:
        """Return whether its process runs."""
        return self.state == "running"

    @classmethod
    def from_inspect(
        cls,
        inspect: Mapping[str, Any],
        image_config: Mapping[str, Any] | None = None,
        mount_table: tuple[MountPoint, ...] | None = None,
        sources: Mapping[str, SourceState] | None = None,
    ) -> Observed:
        """Given what the engine says of a container, return it.

        *image_config* is the ``Config`` of the container's own image (Env, Cmd,
        Entrypoint, Labels, Healthcheck, Volumes, WorkingDir), *mount_table* what is
        mounted in its process (None if it does not run), *sources* by target what
        lies at the source of each bind mount.
        """
        raise NotImplementedError
