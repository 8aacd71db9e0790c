# Copyright: (c) 2026, The Agentkeep authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A child that becomes the user of a container inside the container's mounts.

Nothing of the container is run: the image may hold no Python, and what it holds is not
to be trusted. The child is forked, enters the mount namespace, becomes the user, and
makes plain calls of the operating system. All it needs is loaded before it enters.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import select
import signal
import time
from dataclasses import dataclass
from typing import Any, Callable, Mapping

from .._errors import ProbeFailed
from .process import Process, RunsAs

NEW_MOUNTS = 0x00020000
SET_DEATH_SIGNAL = 1
SET_NO_NEW_PRIVILEGES = 38
CAPABILITY_VERSION = 0x20080522
MOST_ANSWER_BYTES = 1024 * 1024
REAP_SECONDS = 1.0

Work = Callable[[int], Mapping[str, Any]]


@dataclass(frozen=True)
class Child:
    """Hold a child that is at work, and the pipe of its answer."""

    container: str
    pid: int
    pipe: int

    def answer(self, end: float) -> Mapping[str, Any] | None:
        """Return its answer, or None after killing it because *end* has come."""
        try:
            content = self._read(end)
        finally:
            os.close(self.pipe)
            self._end()
        if content is None:
            return None
        try:
            answer = json.loads(content)
        except ValueError:
            answer = None
        if not isinstance(answer, dict) or "error" in answer:
            why = answer["error"] if isinstance(answer, dict) else "it gave no answer"
            raise ProbeFailed(
                f'Cannot probe container "{self.container}" from inside',
                str(why),
                "Run the play as root on the engine's host; root in a container that "
                "lacks CAP_SYS_ADMIN is not enough.",
            )
        return answer

    def _read(self, end: float) -> bytes | None:
        content = b""
        waiting = select.poll()
        waiting.register(self.pipe, select.POLLIN)
        while len(content) <= MOST_ANSWER_BYTES:
            if not waiting.poll(max(0.0, end - time.monotonic()) * 1000):
                return None
            part = os.read(self.pipe, 65536)
            if not part:
                return content
            content += part
        return b""

    def _end(self) -> None:
        """Kill the child; one that hangs in the kernel is left to its fate."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)
        end = time.monotonic() + REAP_SECONDS
        while time.monotonic() < end:
            with contextlib.suppress(ChildProcessError):
                if os.waitpid(self.pid, os.WNOHANG)[0] == 0:
                    time.sleep(0.002)
                    continue
            return


def begin(process: Process, work: Work) -> Child:
    """Start a child that does *work* in the container; it is given /proc/self/fd."""
    library = ctypes.CDLL(None, use_errno=True)
    runs_as, namespace = process.runs_as(), process.mounts()
    reader, writer = os.pipe()
    pid = os.fork()
    if pid:
        os.close(namespace)
        os.close(writer)
        return Child(process.container, pid, reader)
    # From here on it is the child, which must never return.
    try:
        own = os.open("/proc/self/fd", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        _keep_only({writer, namespace, own})
        try:
            _enter(library, namespace, runs_as)
            answer = work(own)
        except OSError as error:
            answer = {"error": f"{error.strerror or error}"}
        except Exception as error:
            answer = {"error": f"{type(error).__name__}: {error}"}
        _send(writer, json.dumps(answer).encode("ascii"))
    finally:
        os._exit(0)


def _keep_only(kept: set[int]) -> None:
    """Close everything of the parent's, which may hold the host's directories."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(nowhere, standard)
    kept = kept | {0, 1, 2}
    for name in os.listdir("/proc/self/fd"):
        if int(name) not in kept:
            with contextlib.suppress(OSError):
                os.close(int(name))


def _enter(library: ctypes.CDLL, namespace: int, runs_as: RunsAs) -> None:
    """Become the container's user in its mounts, with no more rights than it has."""
    os.umask(0o077)
    if library.setns(namespace, NEW_MOUNTS) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"cannot enter its mounts (error {number})")
    os.setgroups(runs_as.groups)
    os.setresgid(runs_as.gid, runs_as.gid, runs_as.gid)
    os.setresuid(runs_as.uid, runs_as.uid, runs_as.uid)
    _limit(library, runs_as.capabilities)
    for option, value in (
        (SET_NO_NEW_PRIVILEGES, 1),
        (SET_DEATH_SIGNAL, signal.SIGKILL),
    ):
        arguments = (ctypes.c_ulong(number) for number in (value, 0, 0, 0))
        if library.prctl(option, *arguments) != 0:
            number = ctypes.get_errno()
            raise OSError(number, f"cannot give up privileges (error {number})")


def _limit(library: ctypes.CDLL, capabilities: int) -> None:
    """Keep no capability but those that the container has; leaving uid 0 took all."""
    header = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION, 0)
    # Effective, permitted and inheritable; then the same of the higher half.
    data = (ctypes.c_uint32 * 6)()
    failed = library.capget(header, data) != 0
    for start, half in ((0, capabilities & 0xFFFFFFFF), (3, capabilities >> 32)):
        kept = data[start + 1] & half
        data[start : start + 3] = [kept, kept, 0]
    if failed or library.capset(header, data) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"cannot give up capabilities (error {number})")


def _send(pipe: int, content: bytes) -> None:
    while content:
        content = content[os.write(pipe, content) :]
