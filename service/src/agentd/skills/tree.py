# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""What one skill's directory holds, seen without following or opening anything."""

from __future__ import annotations

import hashlib
import os
import posixpath
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from agentd.skills.values import Limits

OPEN_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_KINDS = {
    stat.S_IFIFO: "a FIFO",
    stat.S_IFSOCK: "a socket",
    stat.S_IFBLK: "a device",
    stat.S_IFCHR: "a device",
    stat.S_IFLNK: "a link",
    stat.S_IFREG: "a file",
}


class SkillRefused(Exception):
    """A skill is left as it is: the reason names the limit or what moved."""


class File(NamedTuple):
    """A regular file of a skill; what tells whether it was touched."""

    path: str
    inode: int
    size: int
    modified_ns: int
    changed_ns: int
    mode: int


class Directory(NamedTuple):
    """A directory of a skill; its own path is empty."""

    path: str
    modified_ns: int
    mode: int


class Link(NamedTuple):
    """A link that leads straight to a file of the same skill."""

    path: str
    target: str


@dataclass(frozen=True)
class Tree:
    """A skill's files, directories and links, parents first; and what is left out."""

    directories: tuple[Directory, ...]
    files: tuple[File, ...]
    links: tuple[Link, ...] = ()
    left_out: tuple[str, ...] = ()

    @cached_property
    def signature(self) -> str:
        """Return what changes whenever a file is written, replaced or renamed."""
        lines = [repr(file) for file in self.files]
        lines += [repr(link) for link in self.links]
        lines += [repr(directory.path) for directory in self.directories]
        whole = "\n".join(sorted(lines)).encode()
        return hashlib.blake2b(whole, digest_size=16).hexdigest()

    @property
    def entries(self) -> int:
        """Return how many files, directories and other things it has."""
        lists = (self.directories, self.files, self.links, self.left_out)
        return sum(map(len, lists))

    @property
    def bytes(self) -> int:
        """Return how many bytes its files have."""
        return sum(file.size for file in self.files)

    @property
    def is_listed(self) -> bool:
        """Return whether the CLI can find the skill's description."""
        files = [file.path for file in self.files]
        return "SKILL.md" in files or "SKILL.md" in [link.path for link in self.links]

    @cached_property
    def by_directory(self) -> dict[str, tuple[list[File], list[Link]]]:
        """Return for each directory the files and links that lie in it itself."""
        held: dict[str, tuple[list[File], list[Link]]] = {
            directory.path: ([], []) for directory in self.directories
        }
        for file in self.files:
            held[posixpath.dirname(file.path)][0].append(file)
        for link in self.links:
            held[posixpath.dirname(link.path)][1].append(link)
        return held


def file_of(path: str, status: os.stat_result) -> File:
    """Return the value of a file that has this status."""
    return File(
        path,
        status.st_ino,
        status.st_size,
        status.st_mtime_ns,
        status.st_ctime_ns,
        stat.S_IMODE(status.st_mode),
    )


def kind_of(mode: int) -> str:
    """Return what a thing of that mode is, in words."""
    return _KINDS.get(stat.S_IFMT(mode), "a special file")


def scan(root: int, name: str, limits: Limits) -> Tree:
    """Return the tree; raise SkillRefused at a limit, OSError if it is unreadable."""
    scanner = _Scanner(limits)
    with beneath(root, name) as top:
        scanner.enter(top, "", 0)
    return scanner.tree()


def open_up(name: str, directory: int) -> None:
    """Give its owner all rights to a directory, if it is one."""
    status = os.stat(name, dir_fd=directory, follow_symlinks=False)
    if stat.S_ISDIR(status.st_mode) and status.st_mode & 0o700 != 0o700:
        os.chmod(name, 0o700, dir_fd=directory)


@contextmanager
def beneath(root: int, path: str) -> Iterator[int]:
    """Open a directory below another, following no link on the way."""
    opened = os.dup(root)
    try:
        for part in path.split("/") if path else ():
            inner = os.open(part, OPEN_DIRECTORY, dir_fd=opened)
            os.close(opened)
            opened = inner
        yield opened
    finally:
        os.close(opened)


class _Scanner:
    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._directories: list[Directory] = []
        self._files: list[File] = []
        self._links: list[Link] = []
        self._left_out: list[str] = []
        self._entries = 0
        self._bytes = 0

    def enter(self, directory: int, path: str, depth: int) -> None:
        if depth > self._limits.depth:
            raise SkillRefused(f"it is deeper than {self._limits.depth} directories")
        status = os.fstat(directory)
        mode = stat.S_IMODE(status.st_mode)
        self._directories.append(Directory(path, status.st_mtime_ns, mode))
        for name in self._names(directory):
            below = f"{path}/{name}" if path else name
            found = os.stat(name, dir_fd=directory, follow_symlinks=False)
            if stat.S_ISDIR(found.st_mode):
                with beneath(directory, name) as inner:
                    self.enter(inner, below, depth + 1)
            elif stat.S_ISREG(found.st_mode):
                self._take(file_of(below, found))
            elif stat.S_ISLNK(found.st_mode):
                self._links.append(Link(below, os.readlink(name, dir_fd=directory)))
            else:
                self._left_out.append(f"{below} is {kind_of(found.st_mode)}")

    def _names(self, directory: int) -> list[str]:
        names = []
        with os.scandir(directory) as entries:
            for entry in entries:
                self._entries += 1
                if self._entries > self._limits.entries:
                    raise SkillRefused(f"it has more than {self._limits.entries} files")
                names.append(entry.name)
        return sorted(names)

    def _take(self, file: File) -> None:
        self._files.append(file)
        self._bytes += file.size
        if self._bytes > self._limits.bytes:
            raise SkillRefused(f"it has more than {self._limits.bytes} bytes")

    def tree(self) -> Tree:
        files = {file.path for file in self._files}
        links, left_out = _inner(self._links, files)
        return Tree(
            directories=tuple(self._directories),
            files=tuple(self._files),
            links=links,
            left_out=(*self._left_out, *left_out),
        )


def _inner(
    links: Iterable[Link], files: set[str]
) -> tuple[tuple[Link, ...], tuple[str, ...]]:
    """Return the links that stay, and why the others do not.

    A link through another link, to a directory or out of the skill could lead
    anywhere or round in a circle; one that leads straight to a file cannot.
    """
    kept, left_out = [], []
    for link in links:
        if _target(link) in files:
            kept.append(link)
        else:
            left_out.append(f"{link.path} is a link that leads to no file of the skill")
    return tuple(kept), tuple(left_out)


def _target(link: Link) -> str | None:
    if link.target.startswith("/"):
        return None
    parts = posixpath.dirname(link.path).split("/")
    place = [part for part in parts if part]
    ascended = False
    for part in link.target.split("/"):
        if part == "..":
            # After a name, ".." would be taken from where that name leads to.
            if ascended or not place:
                return None
            place.pop()
        elif part != ".":
            ascended = True
            place.append(part)
    return "/".join(place)
