# Copyright: (c) 2026, The Agentkeep authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is done with each declared file, and what the settings of a service hash to."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from typing import Any, Iterable, Mapping

from .._containers.container import Container
from .._containers.files import GENERATED, DeclaredFile
from .._errors import InvalidInput
from .._state.deployment import Agent, Deployment
from .._state.entry import Entry
from .._state.owner import Owner

HASH_CHARACTERS = 16


@dataclass(frozen=True)
class PlacedFile:
    """Hold a declared file with its path below the data root and its host owner."""

    entry: str
    agent: str | None
    name: str
    path: str
    uid: int
    gid: int
    mode: int
    policy: str
    renew: bool = False
    live: bool = False
    length: int = 0
    content: bytes | None = field(default=None, repr=False)
    generated: str | None = None

    def is_token_of(self, other: PlacedFile) -> bool:
        """Return whether the token that *other* holds is this file's."""
        mine = self.agent in (None, other.agent) and self.policy == "generate"
        return mine and other.generated == f"{self.entry}/{self.name}"


@dataclass(frozen=True)
class FoundFile:
    """Hold what is there: owner, mode and content; None content is something else."""

    uid: int
    gid: int
    mode: int
    content: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True)
class FileStep:
    """Hold what is done with one file, and what it holds afterwards."""

    file: PlacedFile
    action: str
    content: bytes = field(repr=False)

    @property
    def is_released(self) -> bool:
        """Return whether a release keeps the file: others may change the rest."""
        return self.action != "removed" and self.file.policy != "keep"

    @property
    def is_read_at_start(self) -> bool:
        """Return whether a container that runs has what the file held at its start."""
        return self.is_released and not self.file.live

    def is_edited(self, found: FoundFile | None) -> bool:
        """Return whether others changed what a container may have read meanwhile."""
        return (
            self.is_read_at_start
            and found is not None
            and found.content is not None
            and found.content != self.content
        )

    def is_read_by(self, container: Container) -> bool:
        """Return whether the container mounts the directory of the file."""
        seen = {(mount.entry, mount.agent) for mount in container.mounts}
        mine = self.file.agent in (None, container.agent)
        return mine and (self.file.entry, container.agent) in seen

    def for_output(self) -> dict[str, Any]:
        """Return the decision for the module's result."""
        return {
            "entry": self.file.entry,
            "agent": self.file.agent,
            "name": self.file.name,
            "action": self.action,
        }


def placed_files(
    deployment: Deployment, declared: Iterable[DeclaredFile]
) -> tuple[PlacedFile, ...]:
    """Given the declared files, return each with its path, one for every agent."""
    return tuple(
        _placed(deployment, one, entry, agent, path)
        for one in declared
        for entry in [_entry(deployment, one)]
        for agent, path in deployment.located(entry)
        if one.agent is None or (agent is not None and agent.name == one.agent)
    )


def plan_files(
    files: Iterable[PlacedFile],
    found: Mapping[str, FoundFile],
    tokens: Mapping[str, bytes],
) -> tuple[FileStep, ...]:
    """Given what is there by path, return what is done with each file.

    *tokens* are fresh random ones by path, used where one is to be generated.
    """
    known = tuple(files)
    generated = [
        _planned(one, found.get(one.path), tokens)
        for one in known
        if one.policy == "generate"
    ]
    return tuple(
        _planned(_with_token(one, generated), found.get(one.path), tokens)
        for one in known
    )


def settings_of(
    container: Container, steps: Iterable[FileStep], secrets: Mapping[str, str]
) -> str:
    """Return the hash of all that a container reads from files and secrets.

    A file that is only written once is not part of it: others may change it. Nor is
    one that is live: it is read again when it changes.
    """
    digest = hashlib.sha256(container.name.encode())
    for step in sorted(steps, key=lambda one: one.file.path):
        if step.is_read_at_start and step.is_read_by(container):
            digest.update(f"\0file {step.file.path}\0".encode() + step.content)
    for name, value in sorted(secrets.items()):
        digest.update(f"\0variable {name}\0{value}".encode())
    return digest.hexdigest()[:HASH_CHARACTERS]


def _entry(deployment: Deployment, one: DeclaredFile) -> Entry:
    try:
        found = deployment.inventory.entry(one.entry)
    except (KeyError, StopIteration):
        found = None
    known = one.agent is None or one.agent in {a.name for a in deployment.agents}
    if found is not None and found.volume is None and known:
        return found
    raise InvalidInput(
        f'Cannot place the file "{one.name}"',
        f'agent "{one.agent}" is not declared'
        if found is not None and not known
        else f'the inventory has no directory "{one.entry}"',
        "Correct entry or agent in files.",
    )


def _placed(
    deployment: Deployment,
    one: DeclaredFile,
    entry: Entry,
    agent: Agent | None,
    path: str,
) -> PlacedFile:
    uid, gid = deployment.ids(_owned(entry, one), agent)
    return PlacedFile(
        entry=one.entry,
        agent=agent.name if agent else None,
        name=one.name,
        path=f"{path}/{one.name}",
        uid=uid,
        gid=gid,
        mode=one.mode,
        policy=one.policy,
        renew=one.renew,
        live=one.live,
        length=one.length,
        content=None if one.content is None else one.content.encode(),
        generated=one.generated,
    )


def _with_token(file: PlacedFile, generated: Iterable[FileStep]) -> PlacedFile:
    for step in generated:
        if step.file.is_token_of(file) and file.content is not None:
            filled = file.content.replace(GENERATED.encode(), step.content)
            return replace(file, content=filled)
    return file


def _owned(entry: Entry, one: DeclaredFile) -> Entry:
    if one.owner is None and one.group is None:
        return entry
    owner = one.owner or (
        entry.owner.user
        if isinstance(entry.owner.user, str)
        else f"{entry.owner.user}:{entry.owner.group}"
    )
    group = entry.owner.group if one.group is None else one.group
    try:
        return replace(entry, owner=Owner.from_params(owner, group))
    except ValueError as error:
        raise InvalidInput(
            f'Cannot place the file "{one.name}" of entry "{one.entry}"',
            str(error),
            "Correct its owner and group in files.",
        ) from error


def _planned(
    file: PlacedFile, found: FoundFile | None, tokens: Mapping[str, bytes]
) -> FileStep:
    if found is not None and found.content is None and file.policy != "keep":
        raise InvalidInput(
            f'Cannot write the file "{file.path}"',
            "something that is no regular file stands there",
            "Find out who put it there, move it away, then run again.",
        )
    wanted = _content(file, found, tokens)
    if found is None:
        return FileStep(file, "created", wanted)
    as_wanted = (
        found.content == wanted
        and (found.uid, found.gid) == (file.uid, file.gid)
        and found.mode == file.mode
    )
    if as_wanted or file.policy == "keep":
        return FileStep(file, "unchanged", wanted)
    return FileStep(file, "changed", wanted)


def _content(
    file: PlacedFile, found: FoundFile | None, tokens: Mapping[str, bytes]
) -> bytes:
    if file.policy == "generate":
        if found is None or not found.content or file.renew:
            return tokens.get(file.path, b"")
        return found.content
    return file.content or b""
