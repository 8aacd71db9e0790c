# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""What goes wrong around a container: its directories, their mounts, their owners."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from engine_api import ask, process_of
from fault_table import RECREATED, UNCHANGED, Case, Fault
from running import docker

INSIDE = "/data/memory"


def by_hand(
    field: str,
    what: str,
    inject: Callable[[Case], object],
    found: Iterable[str],
    **heals: Any,
) -> Fault:
    """Return the fault of a container whose order is right."""
    return Fault(
        field=field,
        change="altered",
        what=what,
        inject=inject,
        found=frozenset((field, kind) for kind in found),
        **heals,
    )


# Enters the mounts of a process and changes them, with nothing of that process's files.
AMONG_ITS_MOUNTS = """
import ctypes, os, sys
libc = ctypes.CDLL(None, use_errno=True)
process, call, target, flags = sys.argv[1:]
ns = os.open(f"/proc/{process}/ns/mnt", os.O_RDONLY)
assert libc.setns(ns, 0) == 0, os.strerror(ctypes.get_errno())
where = target.encode()
done = (
    libc.umount2(where, 0)
    if call == "umount"
    else libc.mount(b"tmpfs", where, b"tmpfs", ctypes.c_ulong(int(flags)), None)
)
assert done == 0, os.strerror(ctypes.get_errno())
"""
READ_ONLY_AGAIN = 1 | 32 | 4096


def inside(call: str, flags: int = 0) -> Callable[[Case], object]:
    """Return what changes the mounts of a running container."""

    def run(case: Case) -> None:
        process = str(process_of(case.container))
        script = [sys.executable, "-c", AMONG_ITS_MOUNTS]
        subprocess.run([*script, process, call, INSIDE, str(flags)], check=True)

    return run


def taken_away(case: Case) -> None:
    """Remove the directory that the container holds open."""
    shutil.rmtree(case.directory())


def moved_away(case: Case) -> None:
    """Rename it, as somebody who tidies up."""
    case.directory().rename(case.directory("memory-old"))


def replaced(case: Case) -> None:
    """Put a copy with the same owners and modes in its place."""
    old = case.directory("memory-old")
    case.directory().rename(old)
    subprocess.run(["cp", "--archive", str(old), str(case.directory())], check=True)


def made_again(case: Case) -> None:
    """Remove it and make another with the same owner and mode."""
    path = case.directory()
    before = path.stat()
    shutil.rmtree(path)
    path.mkdir()
    os.chown(path, before.st_uid, before.st_gid)
    path.chmod(before.st_mode)


def owned_by(uid: int, gid: int) -> Callable[[Case], object]:
    """Return what gives the directory to somebody else; -1 leaves it."""
    return lambda case: os.chown(case.directory(), uid, gid)


def moded(mode: int) -> Callable[[Case], object]:
    """Return what gives the directory another mode."""
    return lambda case: case.directory().chmod(mode)


def below(case: Case) -> Path:
    """Return the directory of transcripts, which is no mount of its own."""
    return case.directory("memory/.claude/projects")


def removed_from_the_engine(case: Case) -> None:
    """Remove the container."""
    docker("rm", "--force", case.container)


MOUNT_FAULTS = (
    by_hand(
        "source",
        "directory removed",
        taken_away,
        ["missing", "deleted"],
        laid=("create", "create", "create"),
    ),
    by_hand(
        "source",
        "directory moved away",
        moved_away,
        ["missing", "replaced"],
        laid=("create", "create", "create"),
    ),
    by_hand("source", "directory replaced by a copy", replaced, ["replaced"]),
    by_hand(
        "source",
        "directory removed and made again",
        made_again,
        ["deleted"],
        laid=("create", "create"),
    ),
    by_hand("source", "unmounted", inside("umount"), ["not_mounted"]),
    by_hand(
        "source",
        "mounted again read-only",
        inside("mount", READ_ONLY_AGAIN),
        ["mode_mismatch"],
    ),
    by_hand("source", "another mount over it", inside("mount"), ["replaced"]),
)


def layout(
    what: str, inject: Callable[[Case], object], *kinds: str, step: str = "correct"
) -> Fault:
    """Return the fault of a directory, which is healed without a new container."""
    field = "source" if kinds else "directories"
    return by_hand(field, what, inject, kinds, healed=UNCHANGED, laid=(step,))


OWNER_FAULTS = (
    layout("owner is root", owned_by(0, 0), "owner"),
    layout("owner is another agent", owned_by(42999, -1), "owner"),
    layout("another group", owned_by(-1, 42999), "owner"),
    layout("open to all", moded(0o777), "mode"),
    layout("closed to its owner", moded(0o500), "mode"),
    layout("projects belong to root", lambda case: os.chown(below(case), 0, 0)),
    layout("projects cannot be written", lambda case: below(case).chmod(0o555)),
    layout("projects are gone", lambda case: below(case).rmdir(), step="create"),
)


def engine(*command: str) -> Callable[[Case], object]:
    """Return what the engine's command line does with the container."""
    return lambda case: docker(*command, case.container)


def disconnected(case: Case) -> None:
    """Take the running container off its network."""
    ask(
        "POST",
        f"/networks/{case.declaration.project}-wire/disconnect",
        {"Container": case.container, "Force": True},
    )


STATE_FAULTS = (
    by_hand("state", "stopped", engine("stop"), ["changed"], healed="started"),
    by_hand("state", "killed", engine("kill"), ["changed"], healed="started"),
    by_hand("state", "paused", engine("pause"), ["changed"]),
    by_hand("state", "gone", engine("rm", "--force"), ["missing"], healed="created"),
    by_hand("networks", "disconnected while it runs", disconnected, ["changed"]),
    by_hand(
        "limits",
        "more memory while it runs",
        engine("update", "--memory=128m", "--memory-swap=128m"),
        ["changed"],
    ),
    by_hand(
        "restart",
        "another policy while it runs",
        engine("update", "--restart=no"),
        ["changed"],
    ),
)


def file(
    what: str,
    inject: Callable[[Path], object],
    action: str = "changed",
    *,
    read: bool = False,
) -> Fault:
    """Return the fault of a file that the deployment wrote.

    *read* says that a container that was restarted has read what others wrote.
    """
    return Fault(
        field="files",
        change="altered",
        what=what,
        inject=lambda case: inject(case.directory("config/settings.json")),
        found=frozenset({("settings", "edited")} if read else ()),
        healed=RECREATED if read else UNCHANGED,
        files=(action,),
    )


FILE_FAULTS = (
    file("edited", lambda path: path.write_text("{}"), read=True),
    file("emptied", lambda path: path.write_text(""), read=True),
    file("readable by all", lambda path: path.chmod(0o644)),
    file("given to somebody else", lambda path: os.chown(path, 42999, 42999)),
    file("removed", lambda path: path.unlink(), "created"),
)
HOST_FAULTS: tuple[Fault, ...] = (
    *MOUNT_FAULTS,
    *OWNER_FAULTS,
    *STATE_FAULTS,
    *FILE_FAULTS,
)
