# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""The git command: bounded in time and output, and stopped with all that it began."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

MAX_OUTPUT_BYTES = 4 * 1024 * 1024
MAX_REASON = 400
# Told to stop, git removes its lock files; killed, it leaves them behind.
STOP_SECONDS = 3.0
# What an agent's own settings must not do to the commands that keep its work:
# run its hooks, ask for passwords, go on in the background.
OWN_SETTINGS = (
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "credential.helper=",
    "gc.auto=0",
    "maintenance.auto=false",
    "submodule.recurse=false",
    "fetch.recurseSubmodules=false",
    "commit.gpgSign=false",
    "core.pager=cat",
)
OWN_ENVIRONMENT = {
    "LC_ALL": "C.UTF-8",
    "LANGUAGE": "C",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_OPTIONAL_LOCKS": "0",
}
_NO_ROOM = re.compile("no space left on device|quota exceeded", re.IGNORECASE)


@dataclass(frozen=True)
class Output:
    """What a command said at its end."""

    status: int
    text: str
    error: str


class GitFailed(Exception):
    """A git command failed, took too long or was stopped; the text says which.

    If it is ``given_up``, that tells nothing of the repository: it may work later.
    """

    def __init__(self, command: str, reason: str, *, given_up: bool = False) -> None:
        super().__init__(f"git {command}: {reason}")
        self.reason = reason
        self.given_up = given_up or _NO_ROOM.search(reason) is not None


class Git:
    """Runs git commands one after the other, all of them within one bound."""

    def __init__(self, environment: Mapping[str, str], seconds: float) -> None:
        self._environment = {**environment, **OWN_ENVIRONMENT}
        self._end = time.monotonic() + seconds
        self._seconds = seconds
        self._running: subprocess.Popen[bytes] | None = None
        self._stopped = False
        self._lock = threading.Lock()

    @property
    def stopped(self) -> bool:
        """Return whether nothing more may be started."""
        return self._stopped

    def stop(self) -> None:
        """End what runs, and start nothing more; may be called from any thread."""
        with self._lock:
            self._stopped = True
            if self._running is not None:
                _signal(self._running, signal.SIGTERM)

    def ask(
        self,
        directory: Path,
        *arguments: str,
        environment: dict[str, str] | None = None,
    ) -> Output:
        """Run a command and return what it said, whatever its status."""
        with tempfile.TemporaryFile() as text, tempfile.TemporaryFile() as error:
            process = self._start(directory, arguments, (text, error), environment)
            try:
                status = self._wait(process, arguments[0])
            finally:
                with self._lock:
                    self._running = None
                # What it began must not write on when it is gone itself.
                _signal(process, signal.SIGKILL)
            return Output(status, _said(text), _said(error))

    def run(
        self,
        directory: Path,
        *arguments: str,
        environment: dict[str, str] | None = None,
    ) -> str:
        """Run a command and return its output; raise GitFailed."""
        output = self.ask(directory, *arguments, environment=environment)
        if output.status != 0:
            raise GitFailed(arguments[0], reason_of(output))
        return output.text

    def _start(
        self,
        directory: Path,
        arguments: tuple[str, ...],
        said: tuple[IO[bytes], IO[bytes]],
        environment: dict[str, str] | None,
    ) -> subprocess.Popen[bytes]:
        options = [word for one in OWN_SETTINGS for word in ("-c", one)]
        with self._lock:
            if self._stopped:
                raise GitFailed(arguments[0], "it was stopped", given_up=True)
            try:
                self._running = subprocess.Popen(
                    ["git", *options, *arguments],
                    cwd=directory,
                    env={**self._environment, **(environment or {})},
                    stdin=subprocess.DEVNULL,
                    stdout=said[0],
                    stderr=said[1],
                    start_new_session=True,
                )
            except OSError as error:
                raise GitFailed(
                    arguments[0], f"{error.strerror}: {error.filename}"
                ) from error
            return self._running

    def _wait(self, process: subprocess.Popen[bytes], command: str) -> int:
        try:
            status = process.wait(max(0.01, self._end - time.monotonic()))
        except subprocess.TimeoutExpired as error:
            _signal(process, signal.SIGTERM)
            with suppress(subprocess.TimeoutExpired):
                process.wait(STOP_SECONDS)
            _signal(process, signal.SIGKILL)
            process.wait()
            raise GitFailed(
                command, f"it took longer than {self._seconds:g} s", given_up=True
            ) from error
        if self._stopped:
            raise GitFailed(command, "it was stopped", given_up=True)
        return status


def reason_of(output: Output) -> str:
    """Return the line that says why a command failed, made safe to show."""
    lines = [line.strip() for line in output.error.splitlines() if line.strip()]
    telling = [
        line for line in lines if line.startswith(("fatal:", "error:", "remote:"))
    ]
    said = "; ".join((telling or lines)[:3]) or f"exit status {output.status}"
    shown = "".join(one if one.isprintable() else "?" for one in said)
    return shown[:MAX_REASON]


def _said(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read(MAX_OUTPUT_BYTES).decode("utf-8", "surrogateescape")


def _signal(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)
