# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""The content of a skill: its digest, and a copy that has the same."""

from __future__ import annotations

import hashlib
import os
import posixpath
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from agentd.skills.tree import File, SkillRefused, Tree, beneath, file_of

_BLOCK_BYTES = 1024 * 1024
# Not blocking: a FIFO put in a file's place must not stop the sync.
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_WRITE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


@dataclass(frozen=True)
class Copied:
    """A finished copy: its digest, and the signature that it has now."""

    digest: str
    signature: str


def digest_of(root: int, name: str, tree: Tree) -> str:
    """Return the digest of a skill's names, contents, exec bits and links."""
    hashes = {}
    with beneath(root, name) as top:
        for directory in tree.directories:
            with beneath(top, directory.path) as opened:
                for file in tree.by_directory[directory.path][0]:
                    with _opened(opened, file) as source:
                        hashes[file.path] = _pass(source, None, file)
    return _combined(tree, hashes)


def copy(source: tuple[int, str], tree: Tree, target: int, durable: bool) -> Copied:
    """Copy a skill into an empty directory; durable makes each file so at once."""
    root, name = source
    copying = _Copying(tree, durable)
    with beneath(root, name) as top:
        for directory in tree.directories:
            if directory.path:
                parent, last = posixpath.split(directory.path)
                with beneath(target, parent) as above:
                    os.mkdir(last, 0o700, dir_fd=above)
            with (
                beneath(top, directory.path) as opened,
                beneath(target, directory.path) as made,
            ):
                copying.fill(directory.path, opened, made)
    copying.finish(target)
    return copying.copied()


class _Copying:
    def __init__(self, tree: Tree, durable: bool) -> None:
        self._tree = tree
        self._durable = durable
        self._hashes: dict[str, bytes] = {}
        self._files: list[File] = []

    def fill(self, path: str, source: int, target: int) -> None:
        """Copy what lies in one directory itself."""
        files, links = self._tree.by_directory[path]
        for file in files:
            with _opened(source, file) as opened:
                made = os.open(
                    posixpath.basename(file.path), _WRITE, 0o600, dir_fd=target
                )
                try:
                    self._hashes[file.path] = _pass(opened, made, file)
                    self._settle(made, file)
                finally:
                    os.close(made)
        for link in links:
            os.symlink(link.target, posixpath.basename(link.path), dir_fd=target)

    def _settle(self, made: int, file: File) -> None:
        os.fchmod(made, file.mode & 0o777 | 0o600)
        os.utime(made, ns=(file.modified_ns, file.modified_ns))
        if self._durable:
            os.fsync(made)
        self._files.append(file_of(file.path, os.fstat(made)))

    def finish(self, target: int) -> None:
        """Give the directories their modes and times, the deepest first."""
        for directory in reversed(self._tree.directories):
            with beneath(target, directory.path) as made:
                os.fchmod(made, directory.mode & 0o777 | 0o700)
                os.utime(made, ns=(directory.modified_ns, directory.modified_ns))
                if self._durable:
                    os.fsync(made)

    def copied(self) -> Copied:
        made = Tree(self._tree.directories, tuple(self._files), self._tree.links)
        return Copied(_combined(self._tree, self._hashes), made.signature)


@contextmanager
def _opened(directory: int, file: File) -> Iterator[int]:
    """Open a file of a tree; raise SkillRefused if it is not the one that was seen."""
    opened = os.open(posixpath.basename(file.path), _READ, dir_fd=directory)
    try:
        status = os.fstat(opened)
        if not stat.S_ISREG(status.st_mode) or file_of(file.path, status) != file:
            raise SkillRefused("it changed while it was read; the next sync takes it")
        yield opened
    finally:
        os.close(opened)


def _pass(source: int, target: int | None, file: File) -> bytes:
    """Read a file, write it on if wanted, and return its hash."""
    content = hashlib.blake2b(digest_size=32)
    left = file.size
    while left > 0:
        block = os.read(source, min(left, _BLOCK_BYTES))
        if not block:
            raise SkillRefused("it changed while it was read; the next sync takes it")
        left -= len(block)
        content.update(block)
        while target is not None and block:
            block = block[os.write(target, block) :]
    return content.digest()


def _combined(tree: Tree, hashes: Mapping[str, bytes]) -> str:
    whole = hashlib.blake2b(digest_size=16)
    for directory in sorted(tree.directories):
        whole.update(b"d" + os.fsencode(directory.path) + b"\0")
    for file in sorted(tree.files):
        kind = b"x" if file.mode & 0o100 else b"f"
        whole.update(kind + os.fsencode(file.path) + b"\0" + hashes[file.path])
    for link in sorted(tree.links):
        path, target = os.fsencode(link.path), os.fsencode(link.target)
        whole.update(b"l" + path + b"\0" + target + b"\0")
    return whole.hexdigest()
