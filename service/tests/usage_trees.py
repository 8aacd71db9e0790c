# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Trees with all that lies in an agent's state, and what du says of them."""

from __future__ import annotations

import os
import socket
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

HUGE = 1 << 40
GAP = 50 << 20


@cache
def counts_directories() -> bool:
    """Return whether this du counts directories; from coreutils 9.2 it does not."""
    with tempfile.TemporaryDirectory() as empty:
        return _du(empty) > 0


def du(*paths: Path) -> int:
    """Return what ``du -sb`` says of these together, directories counted."""
    found = sum(_du(str(path)) for path in paths)
    if counts_directories():
        return found
    return found + sum(
        os.lstat(directory).st_size
        for path in paths
        for directory, _directories, _files in os.walk(path)
    )


def _du(path: str) -> int:
    command = ["du", "-sb", "--", path]
    said = subprocess.run(command, check=True, capture_output=True).stdout
    return int(said.split()[0])


def names(path: Path) -> int:
    """Return how many files lie there, each of several names once."""
    found = set()
    for directory, directories, files in os.walk(path):
        for name in (*directories, *files):
            state = os.lstat(f"{directory}/{name}")
            if not os.path.isdir(f"{directory}/{name}") or os.path.islink(
                f"{directory}/{name}"
            ):
                found.add((state.st_dev, state.st_ino))
    return len(found)


def grow(tree: Path, outside: Path) -> None:
    """Put in a tree everything that could be counted wrongly."""
    for number in range(40):
        below = tree / f"d{number % 7}" / f"e{number}"
        below.mkdir(parents=True)
        (below / "text").write_bytes(b"x" * 100 * number)
    outside.mkdir()
    with (outside / "huge").open("wb") as file:
        file.truncate(HUGE)
    with (tree / "sparse").open("wb") as file:
        file.truncate(GAP)
        file.write(b"begin")
    (tree / "d1/many-names").write_bytes(b"y" * 70_000)
    for number in range(5):
        os.link(tree / "d1/many-names", tree / f"d2/name-{number}")
    (tree / "to-outside").symlink_to(outside)
    (tree / "to-huge").symlink_to(outside / "huge")
    (tree / "d3/to-above").symlink_to(tree)
    (tree / "d3/to-itself").symlink_to("to-itself")
    (tree / "d3/to-nothing").symlink_to("nothing" * 20)
    os.mkfifo(tree / "d4/fifo")
    with socket.socket(socket.AF_UNIX) as listener:
        here = os.getcwd()
        os.chdir(tree)
        try:
            listener.bind("socket")
        finally:
            os.chdir(here)
    with open(os.fsencode(tree) + b"/d5/\xff\xfe", "wb") as file:
        file.write(b"z" * 333)


@contextmanager
def meanwhile(deed: Callable[[], None]) -> Iterator[Callable[[], int]]:
    """Do something again and again in a thread; tell how often it was done."""
    over, times = threading.Event(), [0]

    def again() -> None:
        while not over.is_set():
            deed()
            times[0] += 1

    thread = threading.Thread(target=again)
    thread.start()
    try:
        yield lambda: times[0]
    finally:
        over.set()
        thread.join()
