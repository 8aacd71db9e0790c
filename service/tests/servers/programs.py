# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""Where the programs of Redis, PostgreSQL and OpenSSH are, and how they are started."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, suppress
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[3]
UNPACKED = ROOT / ".agentkeep" / "servers" / "root"
# PostgreSQL refuses to run as root.
NOBODY = 65534
START_SECONDS = 30.0
PORTS = range(12_000, 22_000)


@cache
def unpacked() -> Path | None:
    """Where tools/servers unpacked the packages; a copy if others may not go there."""
    if not (UNPACKED.parent / "complete").exists():
        return None
    if os.geteuid() != 0 or all(one.stat().st_mode & 0o001 for one in UNPACKED.parents):
        return UNPACKED
    copy = Path(tempfile.gettempdir()) / f"agentkeep-servers-{os.getpid()}"
    shutil.copytree(UNPACKED, copy, symlinks=True)
    copy.chmod(0o755)
    return copy


def program(name: str) -> str:
    """Return the path of a program; fail and say where it comes from."""
    root = unpacked()
    places = [] if root is None else [root / "usr/bin", root / "usr/sbin"]
    places += [] if root is None else _postgres(root)
    places += [Path("/usr/bin"), Path("/usr/sbin"), *_postgres(Path("/"))]
    for place in places:
        if (place / name).exists():
            return str(place / name)
    raise FileNotFoundError(
        f'Cannot find "{name}": run tools/servers once, which unpacks the packages of '
        "Redis, PostgreSQL and OpenSSH below .agentkeep."
    )


def _postgres(root: Path) -> list[Path]:
    return sorted(root.glob("usr/lib/postgresql/*/bin"), reverse=True)


def environment() -> dict[str, str]:
    """Return the environment in which the programs find their libraries."""
    root = unpacked()
    places = [] if root is None else [*root.glob("usr/lib/*-linux-gnu")]
    places += [] if root is None else [*root.glob("lib/*-linux-gnu")]
    libraries = {"LD_LIBRARY_PATH": ":".join(map(str, places))} if places else {}
    return {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", **libraries}


def user() -> Mapping[str, object]:
    """Return as whom a program runs that refuses root."""
    if os.geteuid() != 0:
        return {}
    return {"user": NOBODY, "group": NOBODY, "extra_groups": []}


def start(words: Sequence[str], directory: Path, name: str) -> subprocess.Popen[bytes]:
    """Start a server; what it says is in <directory>/<name>.log."""
    with (directory / f"{name}.log").open("ab") as log:
        return subprocess.Popen(  # type: ignore[call-overload, no-any-return]
            [program(words[0]), *words[1:]],
            cwd=directory,
            env=environment(),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            **user(),
        )


def run(*words: str, directory: Path) -> str:
    """Run a program to its end and return what it wrote; fail with what it said."""
    done = subprocess.run(
        [program(words[0]), *words[1:]],
        cwd=directory,
        env=environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        **user(),  # type: ignore[call-overload]
    )
    assert done.returncode == 0, f"{words}: {done.stdout}{done.stderr}"
    return str(done.stdout)


def end(process: subprocess.Popen[bytes], number: int = signal.SIGTERM) -> None:
    """End a server that was started here, with that signal first."""
    if process.poll() is None:
        process.send_signal(signal.SIGCONT)
        process.send_signal(number)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def private_directory(prefix: str) -> Path:
    """Make a directory that belongs to whom the servers run as."""
    directory = Path(tempfile.mkdtemp(prefix=f"agentkeep-{prefix}-"))
    if os.geteuid() == 0:
        os.chown(directory, NOBODY, NOBODY)
    return directory


def free_ports(count: int) -> list[int]:
    """Return ports that nobody listens on now, below those of the kernel's choice.

    Among those, whoever dials a server that is stopped may be given its very port,
    so that it speaks to itself and the server never comes back.
    """
    found: list[int] = []
    with ExitStack() as held:
        # Cluster nodes listen on their port plus 10000 too.
        while len(found) < count:
            one = held.enter_context(socket.socket())
            with suppress(OSError):
                one.bind(("127.0.0.1", secrets.choice(PORTS)))
                found.append(one.getsockname()[1])
    return found


def until(holds: Callable[[], bool], what: str, seconds: float = START_SECONDS) -> None:
    """Wait until it holds; fail and say what did not."""
    end_at = time.monotonic() + seconds
    while time.monotonic() < end_at:
        if holds():
            return
        time.sleep(0.02)
    raise AssertionError(f"{what} did not come in {seconds:g} seconds")
