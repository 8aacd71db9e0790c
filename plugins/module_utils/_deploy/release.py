# Copyright: (c) 2026, The Agentkeep authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A release: all that is needed to run the same containers again."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field
from typing import Any, Iterable, Mapping

from .._containers.container import Container
from .._errors import DeploymentRefused
from .file_plan import FileStep, PlacedFile
from .order import start_waves

ID_CHARACTERS = 12
TAG_CHARACTERS = 12
VERSION = 1


@dataclass(frozen=True)
class ReleasedService:
    """Hold what running a container again takes beside the compose file."""

    container: str
    component: str
    image_id: str
    wave: int
    stop_order: int
    start: bool
    secrets: tuple[str, ...] = ()
    networks: tuple[str, ...] = ()


@dataclass(frozen=True)
class ReleasedFile:
    """Hold where a kept file belongs, and with which owner and mode."""

    path: str
    uid: int
    gid: int
    mode: int
    entry: str
    agent: str | None
    name: str
    generated: bool = False
    live: bool = False


@dataclass(frozen=True)
class Release:
    """Hold a release; its compose file, files and secrets lie beside its manifest."""

    id: str
    services: Mapping[str, ReleasedService]
    files: tuple[ReleasedFile, ...] = ()
    compose: str = field(default="", repr=False)

    def manifest(self) -> str:
        """Return the release as it is kept."""
        services = {name: asdict(one) for name, one in sorted(self.services.items())}
        files = [asdict(one) for one in self.files]
        kept = {"version": VERSION, "id": self.id, "services": services, "files": files}
        return json.dumps(kept, indent=1, sort_keys=True) + "\n"

    @classmethod
    def from_manifest(cls, manifest: bytes, compose: str) -> Release:
        """Given what was kept, return the release; raise DeploymentRefused."""
        try:
            kept = json.loads(manifest.decode("utf-8"))
            if kept["version"] != VERSION:
                raise ValueError(f"its version is {kept['version']!r}")
            return cls(
                id=str(kept["id"]),
                services={
                    name: ReleasedService(
                        **{
                            **one,
                            "secrets": tuple(one["secrets"]),
                            "networks": tuple(one["networks"]),
                        }
                    )
                    for name, one in kept["services"].items()
                },
                files=tuple(ReleasedFile(**one) for one in kept["files"]),
                compose=compose,
            )
        except (ValueError, KeyError, TypeError) as error:
            raise DeploymentRefused(
                "Cannot understand a kept release",
                str(error),
                "Remove the directory releases of the deployment; then there is no way "
                "back to it.",
            ) from error


@dataclass(frozen=True)
class ReleaseIndex:
    """Hold which release runs, and which ran before it."""

    current: str | None = None
    previous: str | None = None

    def with_current(self, id: str) -> ReleaseIndex:
        """Return the index after a release took the place of the current one."""
        if id == self.current:
            return self
        return ReleaseIndex(current=id, previous=self.current)

    def kept(self) -> tuple[str, ...]:
        """Return the releases that are kept, the current one first."""
        return tuple(one for one in (self.current, self.previous) if one)

    def text(self) -> str:
        """Return the index as it is kept."""
        return json.dumps(asdict(self)) + "\n"

    @classmethod
    def from_text(cls, text: bytes | None) -> ReleaseIndex:
        """Given what was kept, return the index; an empty one if it is damaged."""
        try:
            kept = json.loads((text or b"{}").decode("utf-8"))
            return cls(current=kept.get("current"), previous=kept.get("previous"))
        except (ValueError, AttributeError):
            return cls()


def release_of(
    containers: Iterable[Container], compose: str, steps: Iterable[FileStep]
) -> Release:
    """Given everything that is declared, return the release that it makes."""
    everyone = tuple(containers)
    waves = {
        one.name: number
        for number, wave in enumerate(start_waves(everyone))
        for one in wave
    }
    kept = [step for step in steps if step.is_released]
    return Release(
        id=_id(everyone, compose, kept),
        services={
            one.service: ReleasedService(
                container=one.name,
                component=one.component,
                image_id=one.image_id or "",
                wave=waves[one.name],
                stop_order=one.stop_order,
                start=one.start,
                secrets=tuple(sorted(one.secret_environment)),
                networks=one.networks or (),
            )
            for one in everyone
        },
        files=tuple(_released(step.file) for step in kept),
        compose=compose,
    )


def gone_files(
    before: Release | None, steps: Iterable[FileStep], found: Iterable[str]
) -> tuple[FileStep, ...]:
    """Return the removal of the files that were released and are not declared now.

    What was generated stays: its users know it.
    """
    declared, there = {step.file.path for step in steps}, set(found)
    return tuple(
        FileStep(_placed(one), "removed", b"")
        for one in (before.files if before else ())
        if one.path in there - declared and not one.generated
    )


def release_repository(deployment: str) -> str:
    """Return where the images of a deployment's releases have their names."""
    return f"agentkeep-release/{deployment}"


def release_tag(image_id: str) -> str:
    """Return the tag of an image, which is made of its content (its id)."""
    return image_id.rpartition(":")[2][:TAG_CHARACTERS]


def _id(containers: Iterable[Container], compose: str, steps: list[FileStep]) -> str:
    digest = hashlib.sha256(compose.encode())
    for step in steps:
        placed: tuple[Any, ...] = (step.file.path, step.file.uid, step.file.gid)
        # Another key is no other release: the way back would lead to the old key.
        content = b"live" if step.file.live else step.content
        digest.update(repr((*placed, step.file.mode)).encode() + content)
    for one in containers:
        secrets = sorted(one.secret_environment.items())
        digest.update(repr((one.service, secrets)).encode())
    return digest.hexdigest()[:ID_CHARACTERS]


def _released(file: PlacedFile) -> ReleasedFile:
    return ReleasedFile(
        path=file.path,
        uid=file.uid,
        gid=file.gid,
        mode=file.mode,
        entry=file.entry,
        agent=file.agent,
        name=file.name,
        generated=file.policy == "generate",
        live=file.live,
    )


def _placed(one: ReleasedFile) -> PlacedFile:
    return PlacedFile(
        entry=one.entry,
        agent=one.agent,
        name=one.name,
        path=one.path,
        uid=one.uid,
        gid=one.gid,
        mode=one.mode,
        policy="replace",
        live=one.live,
    )
