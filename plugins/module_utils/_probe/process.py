# Copyright: (c) 2026, The Agentkeep authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The main process of a container, as the host sees it."""

from __future__ import annotations

import os
from dataclasses import dataclass, field

from .._errors import ProbeFailed

MOST_BYTES = 4 * 1024 * 1024
MOST_PATH = 4096


@dataclass(frozen=True)
class RunsAs:
    """Hold the ids, as the host knows them, and capabilities of a process."""

    uid: int
    gid: int
    groups: tuple[int, ...] = ()
    capabilities: int = 0

    @classmethod
    def from_status(cls, status: str) -> RunsAs:
        """Given /proc/<pid>/status, return what it says of the file system's ids."""
        lines = dict(line.split(":", 1) for line in status.splitlines() if ":" in line)
        return cls(
            uid=int(lines["Uid"].split()[3]),
            gid=int(lines["Gid"].split()[3]),
            groups=tuple(int(group) for group in lines["Groups"].split()),
            capabilities=int(lines["CapEff"], 16),
        )


@dataclass(frozen=True)
class Process:
    """Hold the directory of a process in /proc open, so that it stays that process."""

    container: str
    pid: int
    descriptor: int = field(repr=False)

    @classmethod
    def opened(cls, container: str, container_id: str, pid: int) -> Process:
        """Return the main process of a container; raise ProbeFailed if it is gone."""
        flags = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
        try:
            own = cls(container, pid, os.open(f"/proc/{pid}", flags))
        except OSError as error:
            raise _gone(container, error.strerror or str(error)) from error
        if container_id not in own._read("cgroup"):
            own.close()
            raise _gone(container, f"process {pid} belongs to something else now")
        return own

    def close(self) -> None:
        """Let the process go."""
        os.close(self.descriptor)

    def runs_as(self) -> RunsAs:
        """Return whom it runs as."""
        return RunsAs.from_status(self._read("status"))

    def temporary(self) -> str | None:
        """Return where it was told to put temporary files, None if it was not told."""
        for line in self._read("environ").split("\0"):
            name, _sign, value = line.partition("=")
            if name == "TMPDIR" and value:
                return value[:MOST_PATH]
        return None

    def mounts(self) -> int:
        """Return its mount namespace, open; refuse that of this host."""
        try:
            namespace = os.open(
                "ns/mnt", os.O_RDONLY | os.O_CLOEXEC, dir_fd=self.descriptor
            )
        except OSError as error:
            raise self._refused(error) from error
        found, own = os.fstat(namespace), os.stat("/proc/self/ns/mnt")
        if (found.st_dev, found.st_ino) == (own.st_dev, own.st_ino):
            os.close(namespace)
            raise ProbeFailed(
                f'Cannot probe container "{self.container}" from inside',
                "it has the mounts of this host",
                "Run the play on the host of the engine and not in the container.",
            )
        return namespace

    def _read(self, name: str) -> str:
        try:
            file = os.open(name, os.O_RDONLY | os.O_CLOEXEC, dir_fd=self.descriptor)
            with os.fdopen(file, "rb") as opened:
                return os.fsdecode(opened.read(MOST_BYTES))
        except OSError as error:
            raise self._refused(error) from error

    def _refused(self, error: OSError) -> ProbeFailed:
        if isinstance(error, PermissionError):
            return ProbeFailed(
                f'Cannot probe container "{self.container}" from inside',
                "only root may look at its process",
                "Run the play as root (become: true).",
            )
        return _gone(self.container, error.strerror or str(error))


def _gone(container: str, why: str) -> ProbeFailed:
    return ProbeFailed(
        f'Cannot probe container "{container}" from inside',
        f"its main process ended ({why})",
        "Look at its logs (docker logs), then run again.",
    )
