# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""What the kernel charges to a memory cgroup, of either version, and groups of ours."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

GROUPS = Path("/sys/fs/cgroup")
DROP_CACHES = Path("/proc/sys/vm/drop_caches")


@dataclass(frozen=True)
class MemoryGroup:
    """A memory cgroup."""

    directory: Path

    def whole_bytes(self) -> int:
        """Return what the kernel charges to the group, its page cache included."""
        names = ("memory.current", "memory.usage_in_bytes")
        place = next(self.directory / name for name in names if self._has(name))
        return int(place.read_text())

    def anonymous_bytes(self) -> int:
        """Return what of it is not backed by files."""
        lines = (self.directory / "memory.stat").read_text().splitlines()
        values = dict(line.split() for line in lines)
        return int(values.get("anon") or values["total_rss"])

    def processes(self) -> list[int]:
        """Return the processes in the group."""
        text = (self.directory / "cgroup.procs").read_text()
        return [int(pid) for pid in text.split()]

    def _has(self, name: str) -> bool:
        return (self.directory / name).exists()


def group_of(process: int) -> MemoryGroup:
    """Return the memory cgroup of a process; raise SystemExit if it is in none."""
    for line in Path(f"/proc/{process}/cgroup").read_text().splitlines():
        _number, controllers, path = line.split(":", 2)
        if "memory" in controllers.split(","):
            return MemoryGroup(GROUPS / "memory" / path.lstrip("/"))
        unified = GROUPS / path.lstrip("/")
        if not controllers and (unified / "memory.current").exists():
            return MemoryGroup(unified)
    raise SystemExit(f"Cannot measure memory: {process} is in no memory cgroup.")


@contextmanager
def new_group(name: str) -> Iterator[MemoryGroup]:
    """Make a memory cgroup, and remove it when its processes have ended."""
    parent = GROUPS / "memory"
    group = MemoryGroup((parent if parent.is_dir() else GROUPS) / name)
    try:
        group.directory.mkdir(exist_ok=True)
        group.whole_bytes()
    except (OSError, StopIteration) as error:
        raise SystemExit(
            f"Cannot measure memory: no memory cgroup can be made in"
            f" {group.directory.parent} ({error}). Run it as root on the host."
        ) from error
    try:
        yield group
    finally:
        group.directory.rmdir()


def drop_page_cache() -> bool:
    """Let the kernel forget file pages, so that who reads them next is charged."""
    os.sync()
    try:
        DROP_CACHES.write_text("3")
    except OSError:
        return False
    return True
