# Copyright: (c) 2026, The Agentkeep authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The container engine, asked through the Docker SDK."""

from __future__ import annotations

import contextlib
import socket
import time
from dataclasses import dataclass
from typing import Any, Callable, Dict, Iterable, Iterator, Mapping

from .._errors import EngineFailed, EngineUnreachable

Inspected = Dict[str, Any]
DEPLOYMENT_LABEL = "agentkeep.deployment"
ID_LABEL = "agentkeep.id"
ANSWER_SECONDS = 60
PAUSE_SECONDS = 0.5


@dataclass(frozen=True)
class Listed:
    """Hold what the engine's list says of one container."""

    id: str
    name: str
    labels: Mapping[str, str]
    state: str


class Engine:
    """Ask the engine, and tell its refusals from its silence."""

    def __init__(self, client: Any, errors: Any) -> None:
        self._client = client
        self._errors = errors

    def containers(self) -> tuple[Listed, ...]:
        """Return every container of the engine, stopped ones included."""
        with self._asked("list the containers"):
            found = self._client.containers(all=True)
        return tuple(
            Listed(
                id=one["Id"],
                name=next(
                    (n[1:] for n in one.get("Names") or () if n.count("/") == 1), ""
                ),
                labels=one.get("Labels") or {},
                state=one.get("State") or "",
            )
            for one in found
        )

    def inspect(self, container: str) -> Inspected | None:
        """Return what the engine knows of a container, or None if it is gone."""
        return self._found("container", self._client.inspect_container, container)

    def image(self, reference: str) -> Inspected | None:
        """Return what the engine knows of an image, or None if it has none."""
        return self._found("image", self._client.inspect_image, reference)

    def tag(self, image_id: str, repository: str, tag: str) -> None:
        """Give an image a name, so that it outlives a prune."""
        with self._asked(f'tag the image "{image_id}"'):
            self._client.tag(image_id, repository, tag, force=True)

    def tags(self, repository: str) -> tuple[str, ...]:
        """Return the names that the engine knows in a repository."""
        with self._asked(f'list the images of "{repository}"'):
            images = self._client.images(name=repository)
        names = [name for image in images for name in image.get("RepoTags") or ()]
        return tuple(sorted(n for n in names if n.startswith(f"{repository}:")))

    def untag(self, name: str) -> None:
        """Take a name away from an image; the image goes with its last name."""
        with contextlib.suppress(self._errors.APIError), self._quiet():
            self._client.remove_image(name, noprune=False)

    def networks(self, deployment: str, id: str) -> tuple[str, ...]:
        """Return the networks of a deployment."""
        with self._asked("list the networks"):
            found = self._client.networks(filters=_labelled(deployment))
        return _owned(found, deployment, id)

    def network(self, name: str) -> Inspected | None:
        """Return what the engine knows of the network of exactly that name."""
        with self._asked(f'look for the network "{name}"'):
            found = self._client.networks(names=[name])
        return next((one for one in found if one["Name"] == name), None)

    def make_network(self, name: str, labels: Mapping[str, str]) -> None:
        """Make a network."""
        with self._asked(f'make the network "{name}"'):
            self._client.create_network(name, labels=dict(labels), check_duplicate=True)

    def remove_network(self, name: str) -> None:
        """Remove a network, if it is there."""
        self._found("network", self._client.remove_network, name)

    def volumes(self, deployment: str, id: str) -> tuple[str, ...]:
        """Return the volumes of a deployment."""
        with self._asked("list the volumes"):
            found = self._client.volumes(filters=_labelled(deployment))
        return _owned(found.get("Volumes") or (), deployment, id)

    def volume(self, name: str) -> Inspected | None:
        """Return what the engine knows of a volume, or None if there is none."""
        return self._found("volume", self._client.inspect_volume, name)

    def make_volume(self, name: str, labels: Mapping[str, str]) -> Inspected:
        """Make a volume and return what the engine knows of it."""
        with self._asked(f'make the volume "{name}"'):
            return dict(self._client.create_volume(name, labels=dict(labels)))

    def remove_volume(self, name: str) -> None:
        """Remove a volume, if it is there."""
        self._found("volume", self._client.remove_volume, name)

    def start(self, container: str) -> None:
        """Start a container."""
        with self._asked(f'start the container "{container}"'):
            self._client.start(container)

    def unpause(self, container: str) -> None:
        """Let the processes of a container go on."""
        with self._asked(f'let the container "{container}" go on'):
            self._client.unpause(container)

    def stop(self, container: str, grace_seconds: int) -> None:
        """Stop a container; kill it if it has not ended after *grace_seconds*."""
        try:
            with self._asked(f'stop the container "{container}"'):
                self._client.stop(container, timeout=grace_seconds)
        except EngineFailed:
            found = self.inspect(container)
            if found is not None and found["State"]["Running"]:
                raise

    def remove(self, container: str) -> None:
        """Remove a container, if it is there; its volumes stay."""
        try:
            with self._asked(f'remove the container "{container}"'):
                self._client.remove_container(container, v=False, force=True)
        except EngineFailed:
            if self.inspect(container) is not None:
                raise

    def logs(self, container: str, lines: int) -> str:
        """Return the last lines that a container wrote."""
        with self._asked(f'read the logs of the container "{container}"'):
            written: bytes = self._client.logs(container, tail=lines)
        return written.decode("utf-8", "replace")

    def _found(self, kind: str, ask: Callable[..., Any], name: str) -> Inspected | None:
        try:
            with self._asked(f'use the {kind} "{name}"'):
                found: Inspected | None = ask(name)
                return found
        except _Missing:
            return None

    @contextlib.contextmanager
    def _quiet(self) -> Iterator[None]:
        with contextlib.suppress(EngineFailed):
            yield

    @contextlib.contextmanager
    def _asked(self, what: str) -> Iterator[None]:
        try:
            yield
        except self._errors.NotFound as error:
            raise _Missing(
                f"Cannot {what}",
                f"the engine says: {error.explanation or error}",
                "Run again; if it stays, look at the engine's log.",
            ) from error
        except self._errors.APIError as error:
            raise EngineFailed(
                f"Cannot {what}",
                f"the engine says: {error.explanation or error}",
                "Correct what it names, then run again.",
            ) from error
        except (OSError, self._errors.DockerException) as error:
            # What requests raises is an OSError.
            raise unreachable(self._client.base_url, error) from error


def is_ours(labels: Mapping[str, str], deployment: str, id: str | None) -> bool:
    """Return whether the labels are those of the deployment with that id (K12, D20).

    What was made before deployments had an id carries the name alone.
    """
    return labels.get(DEPLOYMENT_LABEL) == deployment and labels.get(ID_LABEL, id) == id


def _labelled(deployment: str) -> dict[str, str]:
    return {"label": f"{DEPLOYMENT_LABEL}={deployment}"}


def _owned(found: Iterable[Inspected], deployment: str, id: str) -> tuple[str, ...]:
    return tuple(
        sorted(o["Name"] for o in found if is_ours(o["Labels"] or {}, deployment, id))
    )


class _Missing(EngineFailed):
    """The engine does not know the object."""


def connect(
    socket_path: str,
    wait_seconds: float = 0,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> Engine:
    """Return the engine behind a socket; raise EngineUnreachable."""
    client_of, errors = _docker_sdk()
    end = clock() + wait_seconds
    while True:
        try:
            _demand_listener(socket_path)
            client = client_of(
                base_url=f"unix://{socket_path}",
                version="auto",
                timeout=ANSWER_SECONDS,
            )
        except (OSError, errors.DockerException) as error:
            if clock() >= end:
                raise unreachable(socket_path, error) from error
            sleep(PAUSE_SECONDS)
            continue
        client.trust_env = False
        return Engine(client, errors)


def wait_for(
    socket_path: str,
    wait_seconds: float,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Return when something listens, at the latest after the wait (D23)."""
    end = clock() + wait_seconds
    while clock() < end and not _listens(socket_path):
        sleep(PAUSE_SECONDS)


def _listens(socket_path: str) -> bool:
    try:
        _demand_listener(socket_path)
    except OSError:
        return False
    return True


def _demand_listener(socket_path: str) -> None:
    with socket.socket(socket.AF_UNIX) as caller:
        caller.settimeout(ANSWER_SECONDS)
        caller.connect(socket_path)


def unreachable(socket_path: str, error: BaseException) -> EngineUnreachable:
    """Return the error for an engine that does not answer."""
    return EngineUnreachable(
        f'Cannot ask the engine at "{socket_path}"',
        str(error),
        "Start it, or set engine_socket to where it listens and engine_wait_seconds to "
        "how long it may take; nothing was removed.",
    )


def _docker_sdk() -> tuple[Any, Any]:
    try:
        from docker import APIClient, errors
    except ImportError as error:
        raise EngineUnreachable(
            "Cannot ask the engine",
            f"this host's Python has no Docker SDK ({error})",
            "Install python3-docker on it; the role agentkeep.agents.host does.",
        ) from error
    return APIClient, errors
