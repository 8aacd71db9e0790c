# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""Where clones, worktrees and saved work lie, and what is noted of a worktree."""

from __future__ import annotations

import json
import os
import shutil
import stat
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from agentd.workdirs.names import (
    NameRefused,
    RepositoryName,
    is_branch,
    parse_repository,
    tree_name,
    tree_path,
)

MAX_RECORD_BYTES = 4096
MAX_ENTRIES = 100_000
MAX_TIME = 1e12
RECORD = ".json"


@dataclass(frozen=True)
class Places:
    """The directories of one agent's work, and the address of its repositories.

    Whatever was made before ``started_at`` is no other's that still runs.
    """

    root: Path
    remote: str
    started_at: float = field(default_factory=time.time)

    def clone(self, repository: RepositoryName) -> Path:
        """Return where the clone of a repository lies."""
        parts = (repository.forge, "repos", repository.owner, repository.name)
        return self.root.joinpath(*parts)

    def tree(self, repository: RepositoryName, branch: str) -> Path:
        """Return where the worktree of a branch lies, the same for ever."""
        return tree_path(self.root, repository, branch)

    def trees(self, forge: str) -> Path:
        """Return where a forge's worktrees lie."""
        return self.root / forge / "worktrees"

    def recovered(self, forge: str) -> Path:
        """Return where directories are kept that could not be saved otherwise."""
        return self.root / forge / "recovered"

    def draft(self, repository: RepositoryName) -> Path:
        """Return where a clone is made before it takes its place."""
        name = f"{repository.owner}~{repository.name}"
        return self.root / repository.forge / "drafts" / name

    def url(self, repository: RepositoryName) -> str:
        """Return where git fetches from and pushes to."""
        return f"{self.remote}/{repository.forge}/{repository.path}.git"

    def forges(self) -> list[str]:
        """Return the forges that have something here."""
        return [one for one in names_in(self.root) if (self.root / one).is_dir()]


class Settings(Protocol):
    """What is read of an agent's settings."""

    @property
    def workdirs_directory(self) -> str:
        """Return where all of it lies."""

    @property
    def relay_port(self) -> int:
        """Return the port on loopback that leads to the gateway."""


def places_of(settings: Settings) -> Places:
    """Return where an agent's clones and worktrees lie."""
    remote = f"http://127.0.0.1:{settings.relay_port}/git"
    return Places(Path(settings.workdirs_directory), remote)


@dataclass(frozen=True)
class TreeRecord:
    """What is noted of a worktree beside it."""

    repository: RepositoryName
    branch: str
    created: float
    used: float


def record_path(tree: Path) -> Path:
    """Return where the record of a worktree lies."""
    return tree.with_name(f"{tree.name}{RECORD}")


def read_record(path: Path) -> TreeRecord | None:
    """Return the record in that file, if it is one and belongs to its name."""
    with suppress(OSError, ValueError, RecursionError):
        with open(path, "rb", opener=_only_files) as file:
            value = json.loads(file.read(MAX_RECORD_BYTES))
        record = _record(value)
        if f"{tree_name(record.repository, record.branch)}{RECORD}" == path.name:
            return record
    return None


def _record(value: object) -> TreeRecord:
    if not isinstance(value, dict) or not is_branch(value.get("branch")):
        raise ValueError
    times = [
        float(one)
        for one in (value.get("created"), value.get("used"))
        if isinstance(one, int | float) and 0 <= one < MAX_TIME
    ]
    if len(times) != 2:
        raise ValueError
    try:
        repository = parse_repository(str(value.get("repository")))
    except NameRefused as error:
        raise ValueError from error
    return TreeRecord(repository, str(value["branch"]), *times)


def write_record(tree: Path, record: TreeRecord) -> None:
    """Note what a worktree is, at once and whole."""
    path = record_path(tree)
    value: Mapping[str, object] = {
        "repository": str(record.repository),
        "branch": record.branch,
        "created": record.created,
        "used": record.used,
    }
    draft = path.with_name(f".{path.name}.writing")
    with suppress(FileNotFoundError):
        draft.unlink()
    with open(draft, "x", encoding="utf-8") as file:
        file.write(f"{json.dumps(value)}\n")
        file.flush()
        os.fsync(file.fileno())
    if path.is_dir() and not path.is_symlink():
        remove_directory(path)
    draft.rename(path)


def _only_files(path: str, flags: int) -> int:
    file = os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK)
    if stat.S_ISREG(os.fstat(file).st_mode):
        return file
    os.close(file)
    raise OSError(f"{path} is no file")


def names_in(directory: Path) -> Iterator[str]:
    """Yield the names in a directory, up to a bound; none if it is not there."""
    with suppress(OSError), os.scandir(directory) as entries:
        for number, entry in enumerate(entries):
            if number == MAX_ENTRIES:
                return
            yield entry.name


def is_directory(path: Path) -> bool:
    """Return whether that is a directory itself, and no link to one."""
    try:
        return stat.S_ISDIR(path.lstat().st_mode)
    except OSError:
        return False


def remove_directory(path: Path) -> None:
    """Remove whatever is there; raise OSError if that does not work."""
    if not os.path.lexists(path):
        return
    if not is_directory(path):
        path.unlink()
        return
    # A tool's read-only directories (Go's modules) must not outlive their tree.
    _open_up(path)
    for directory, names, _files in os.walk(path):
        for name in names:
            _open_up(Path(directory, name))
    shutil.rmtree(path)


def _open_up(directory: Path) -> None:
    with suppress(OSError):
        mode = directory.lstat().st_mode
        if stat.S_ISDIR(mode) and mode & 0o700 != 0o700:
            directory.chmod(0o700)


def set_aside(places: Places, forge: str, path: Path) -> Path:
    """Move what is there below what is recovered, and return where it is now."""
    directory = places.recovered(forge)
    directory.mkdir(parents=True, exist_ok=True)
    target = directory / f"{int(time.time())}-{time.time_ns() % 10**9:x}-{path.name}"
    path.rename(target)
    return target
