# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""What a hostile agent leaves in its directory, and the state of all around it."""

from __future__ import annotations

import contextlib
import hashlib
import os
import socket
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

AGENT, OTHER = 20101, 20102
SWAPPER = Path(__file__).with_name("link_swapper.py")

Plant = Callable[[Path, Path], None]
Snapshot = dict[str, tuple[object, ...]]


def snapshot(*roots: Path) -> Snapshot:
    """Return owner, mode and content of everything below some directories."""
    found: Snapshot = {}
    for root in roots:
        for path in (root, *sorted(root.rglob("*"))):
            state = path.lstat()
            content = path.read_bytes() if stat.S_ISREG(state.st_mode) else b""
            found[str(path)] = (
                state.st_uid,
                state.st_gid,
                state.st_mode,
                state.st_mtime_ns,
                hashlib.sha256(content).hexdigest(),
            )
    return found


def untouchable(memory: Path, outside: Path) -> Snapshot:
    """Return the state of all that the repair of the agent must leave alone."""
    system = {
        name: (*os.stat(name)[:5], Path(name).read_bytes())
        for name in ("/etc/passwd", "/etc/shadow", "/etc/hostname")
    }
    return {**snapshot(outside, memory.parents[1] / "mail"), **system}


def make_foreign(directory: Path) -> None:
    """Give a directory's files to root, as a play without a uid would leave them."""
    for path in directory.rglob("*"):
        with contextlib.suppress(FileNotFoundError, NotADirectoryError):
            os.chown(path, 0, 0, follow_symlinks=False)


def links(memory: Path, outside: Path) -> None:
    """Plant links to everywhere."""
    for name, target in {
        "etc": "/etc",
        "shadow": "/etc/shadow",
        "outside": str(outside),
        "up": "../../../..",
        "other": "../../mail/memory",
        "proc": "/proc/1/root/etc",
        "nowhere": "/nowhere",
        "self": "self",
        "here": ".",
    }.items():
        (memory / name).symlink_to(target)
        (memory / ".claude/projects" / name).symlink_to(target)


def loops(memory: Path, _outside: Path) -> None:
    """Plant loops of links, as a runtime of another system leaves them."""
    (memory / ".claude/projects/-data-memory").mkdir()
    (memory / ".claude/projects/-data-memory/memory").symlink_to(memory)
    (memory / "memory").symlink_to(".")
    (memory / "a").symlink_to("b")
    (memory / "b").symlink_to("a")


def special_files(memory: Path, _outside: Path) -> None:
    """Plant a pipe, a socket and devices."""
    os.mkfifo(memory / "pipe")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(memory / "socket"))
    os.mknod(memory / "null", stat.S_IFCHR | 0o666, os.makedev(1, 3))
    os.mknod(memory / "disk", stat.S_IFBLK | 0o600, os.makedev(7, 250))


def odd_names(memory: Path, _outside: Path) -> None:
    """Plant names that a shell or a format would stumble over."""
    for name in (b"-rf", b"a\nb", b"\xff\xfe", b"$(id)", b"{a,b}", b"%s", b" "):
        (memory / os.fsdecode(name)).write_text("")


def deep(memory: Path, outside: Path) -> None:
    """Plant a deep path with a link at its end."""
    bottom = memory.joinpath(*["d"] * 150)
    bottom.mkdir(parents=True)
    (bottom / "link").symlink_to(outside)


@contextlib.contextmanager
def swapping(memory: Path, pairs: list[tuple[Path, Path]]) -> Iterator[None]:
    """Swap the pairs as the agent while the block runs; demand that it did."""
    names = [str(path.relative_to(memory)) for pair in pairs for path in pair]
    with subprocess.Popen(
        [sys.executable, str(SWAPPER), str(AGENT), str(memory), *names],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as swapper:
        assert swapper.stdin is not None
        assert swapper.stdout is not None
        assert swapper.stdout.readline() == "ready\n"
        yield
        swapper.stdin.close()
        assert int(swapper.stdout.read()) > 0


def give_by_path(directory: Path) -> None:
    """Do what a careful recursive chown does, which follows no link that it sees."""
    for above, _directories, files in os.walk(directory):
        for name in files:
            with contextlib.suppress(OSError):
                os.chown(os.path.join(above, name), AGENT, AGENT, follow_symlinks=False)


PLANTS: tuple[Plant, ...] = (links, loops, special_files, odd_names, deep)
