# Copyright: (c) 2026, The Agentkeep authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a container and the sources of its mounts really are, read from the engine."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass, field
from typing import Any, Iterator, Mapping

from .parts import Health, Port, Temporary
from .reading import (
    ANONYMOUS,
    capabilities_of,
    health_of,
    limits_of,
    logging_of,
    networks_of,
    ports_of,
    restart_of,
    security_of,
    temporary_of,
    variables_of,
)


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
        network_names: Mapping[str, str] | None = None,
    ) -> Observed:
        """Given what the engine says of a container, return it.

        *image_config* is the ``Config`` of the container's own image (Env, Cmd,
        Entrypoint, Labels, Healthcheck, Volumes, WorkingDir), *mount_table* what is
        mounted in its process (None if it does not run), *sources* by target what
        lies at the source of each bind mount, *network_names* the engine's networks
        by their ids.
        """
        host = inspect.get("HostConfig") or {}
        config = inspect.get("Config") or {}
        state = inspect.get("State") or {}
        return cls(
            id=inspect.get("Id", ""),
            name=str(inspect.get("Name", "")).lstrip("/"),
            state=state.get("Status", ""),
            health=(state.get("Health") or {}).get("Status"),
            exit_code=state.get("ExitCode") or 0,
            image=config.get("Image") or "",
            image_id=inspect.get("Image") or "",
            user=config.get("User") or "",
            working_directory=config.get("WorkingDir") or "",
            arguments=(*(config.get("Entrypoint") or ()), *(config.get("Cmd") or ())),
            restart=restart_of(host.get("RestartPolicy") or {}),
            stop_grace_seconds=config.get("StopTimeout"),
            environment=variables_of(config.get("Env")),
            labels=dict(config.get("Labels") or {}),
            mounts=_mounts(inspect, host, _own_volumes(config, image_config)),
            networks=networks_of(
                host, inspect.get("NetworkSettings") or {}, network_names or {}
            ),
            ports=tuple(sorted(ports_of(host, config), key=lambda one: one.written)),
            check=health_of(config.get("Healthcheck")),
            **_walls(host),
            image_config=image_config,
            mount_table=mount_table,
            sources=dict(sources or {}),
        )


def _walls(host: Mapping[str, Any]) -> dict[str, Any]:
    """Return what keeps a container in, and how much it may take."""
    return {
        "read_only": bool(host.get("ReadonlyRootfs")),
        "capabilities": capabilities_of(host),
        "security": security_of(host),
        "temporary": tuple(sorted(temporary_of(host), key=lambda one: one.target)),
        "limits": limits_of(host),
        "logging": logging_of(host),
        "init": bool(host.get("Init")),
    }


def _own_volumes(
    config: Mapping[str, Any], image_config: Mapping[str, Any] | None
) -> frozenset[str]:
    """Return where the image itself demands a volume."""
    holder = config if image_config is None else image_config
    return frozenset(holder.get("Volumes") or ())


def _mounts(
    inspect: Mapping[str, Any], host: Mapping[str, Any], own: frozenset[str]
) -> tuple[ObservedMount, ...]:
    """Return the mounts, however they were declared to the engine (B18)."""
    found = {
        mount.target: mount
        for mount in (*_bound(host), *_declared(host), *_mounted(inspect))
        if mount.type != "tmpfs" and not (mount.target in own and _is_anonymous(mount))
    }
    return tuple(found[target] for target in sorted(found))


def _is_anonymous(mount: ObservedMount) -> bool:
    name = mount.source
    return mount.type == "volume" and (not name or bool(ANONYMOUS.match(name)))


def _mounted(inspect: Mapping[str, Any]) -> Iterator[ObservedMount]:
    for one in inspect.get("Mounts") or ():
        volume = one.get("Type") == "volume"
        yield ObservedMount(
            type=one.get("Type") or "bind",
            source=(one.get("Name") if volume else one.get("Source")) or "",
            target=_path(one.get("Destination")),
            access="rw" if one.get("RW") else "ro",
        )


def _declared(host: Mapping[str, Any]) -> Iterator[ObservedMount]:
    for one in host.get("Mounts") or ():
        yield ObservedMount(
            type=one.get("Type") or "bind",
            source=one.get("Source") or "",
            target=_path(one.get("Target")),
            access="ro" if one.get("ReadOnly") else "rw",
        )


def _bound(host: Mapping[str, Any]) -> Iterator[ObservedMount]:
    for line in host.get("Binds") or ():
        source, _sign, rest = str(line).partition(":")
        target, _sign, options = rest.partition(":")
        yield ObservedMount(
            type="bind" if source.startswith("/") else "volume",
            source=source,
            target=_path(target),
            access="ro" if "ro" in options.split(",") else "rw",
        )


def _path(path: Any) -> str:
    return posixpath.normpath(str(path or "/"))
