# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""What makes the Claude CLI lose conversations without a word, done for real."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

MEMORY = "/data/memory"
CONFIG = f"{MEMORY}/.claude"
REMOUNT = f"""
import ctypes, os, sys
libc = ctypes.CDLL(None, use_errno=True)
namespace = os.open(f"/proc/{{sys.argv[1]}}/ns/mnt", os.O_RDONLY)
assert libc.setns(namespace, 0x00020000) == 0, os.strerror(ctypes.get_errno())
read_only_bind = 0x1 | 0x20 | 0x1000
done = libc.mount(b"none", b"{MEMORY}", None, read_only_bind, None)
assert done == 0, os.strerror(ctypes.get_errno())
"""
Finding = tuple[str, str, str | None]


@dataclass(frozen=True)
class Agent:
    """One agent of the deployment: its name, its user, and its directories."""

    name: str
    uid: int
    directory: Path

    @property
    def memory(self) -> Path:
        """Return its memory on the host."""
        return self.directory / "memory"

    @property
    def config(self) -> Path:
        """Return where its CLI keeps everything."""
        return self.memory / ".claude"

    @property
    def projects(self) -> Path:
        """Return where its CLI keeps the projects."""
        return self.config / "projects"

    @property
    def project(self) -> Path:
        """Return its one project."""
        return self.projects / "-data-memory"

    @property
    def session(self) -> str:
        """Return its one session."""
        return f"{self.uid:08d}-0000-4000-8000-000000000000"

    @property
    def transcript(self) -> Path:
        """Return the transcript of that session."""
        return self.project / f"{self.session}.jsonl"

    def lay_out(self) -> None:
        """Make its directories and its transcript, as they should be."""
        self.project.mkdir(parents=True)
        (self.directory / "skill-data").mkdir()
        self.transcript.write_text('{"type":"user","uuid":"1"}\n')
        for path in (self.memory, *self.memory.rglob("*")):
            os.chown(path, self.uid, self.uid)
            path.chmod(0o600 if path.is_file() else 0o750)
        os.chown(self.directory / "skill-data", self.uid, self.uid)


def nothing(*_unused: object) -> None:
    """Do nothing."""


@dataclass(frozen=True)
class Case:
    """One row: what is done before the start and after it, and what must be found.

    A finding is what was tried, the step that failed, and the system's error.
    """

    name: str
    found: frozenset[Finding] = frozenset()
    before: Callable[[Agent], object] = nothing
    after: Callable[[Agent, int], object] = nothing
    arguments: Callable[[Agent], list[str]] = lambda _agent: []
    memory: str = "rw"
    temporary: bool = True
    known: bool = True


def own(*paths: str, mode: int = 0o755) -> Callable[[Agent], None]:
    """Return what gives the agent's paths to root."""

    def give(agent: Agent) -> None:
        for path in paths:
            place: Path = getattr(agent, path)
            os.chown(place, 0, 0)
            place.chmod(mode)

    return give


def without_projects(agent: Agent) -> None:
    """Leave a configuration directory of root with nothing in it."""
    shutil.rmtree(agent.projects)
    own("config")(agent)


def small_projects(agent: Agent) -> None:
    """Let projects be a full file system of 64 KB."""
    content = agent.transcript.read_bytes()
    shutil.rmtree(agent.project)
    options = f"size=64k,uid={agent.uid},gid={agent.uid},mode=0750"
    run("mount", "-t", "tmpfs", "-o", options, "tmpfs", str(agent.projects))
    agent.project.mkdir()
    agent.transcript.write_bytes(content)
    for path in (agent.project, agent.transcript):
        os.chown(path, agent.uid, agent.uid)
    fill(agent.projects)


def small_memory(agent: Agent) -> None:
    """Let memory be a full file system of 8 MB in a file."""
    image = agent.directory / "memory.ext4"
    with image.open("wb") as file:
        file.truncate(8 * 2**20)
    run("mkfs.ext4", "-q", "-m", "0", "-d", str(agent.memory), str(image))
    run("mount", "-o", "loop", str(image), str(agent.memory))
    os.chown(agent.memory, agent.uid, agent.uid)
    fill(agent.memory)


def fill(directory: Path) -> None:
    """Write until nothing more goes in."""
    try:
        with (directory / "filler").open("wb", buffering=0) as file:
            while True:
                file.write(b"x" * 4096)
    except OSError:
        pass


def linked_config(agent: Agent) -> None:
    """Put a link where the configuration directory was, as the agent could."""
    agent.config.rename(agent.memory / "elsewhere")
    agent.config.symlink_to("/data/skill-data")


def linked_transcript(agent: Agent) -> None:
    """Put a link to a file of the image in the transcript's place."""
    agent.transcript.unlink()
    agent.transcript.symlink_to("/etc/passwd")


def piped_transcript(agent: Agent) -> None:
    """Put a pipe that blocks whoever opens it in the transcript's place."""
    agent.transcript.unlink()
    os.mkfifo(agent.transcript, 0o600)
    os.chown(agent.transcript, agent.uid, agent.uid)


def replaced_memory(agent: Agent, _pid: int) -> None:
    """Put another directory in the place of the one that the container holds."""
    agent.memory.rename(agent.directory / "memory.old")
    agent.memory.mkdir(mode=0o750)
    os.chown(agent.memory, agent.uid, agent.uid)


def remounted(_agent: Agent, pid: int) -> None:
    """Make memory read-only in the running container."""
    run(sys.executable, "-c", REMOUNT, str(pid))


def removed_memory(agent: Agent, _pid: int) -> None:
    """Take away the directory that the container holds."""
    shutil.rmtree(agent.memory)


def run(*command: str) -> None:
    """Run a command; raise if it fails."""
    subprocess.run(command, check=True, capture_output=True)


def both(step: str, error: str | None) -> frozenset[Finding]:
    """Return the findings of what hits memory and the projects in it alike."""
    return frozenset({("place", step, error), ("projects", step, error)})


def one(*finding: str | None) -> frozenset[Finding]:
    """Return a single finding."""
    subject, step, error = finding
    return frozenset({(str(subject), str(step), error)})


CLEAN = (
    Case("everything as it should be"),
    Case(
        "config directory read-only, projects bound read-write",
        arguments=lambda agent: [
            f"--volume={agent.config}:{CONFIG}:ro",
            f"--volume={agent.projects}:{CONFIG}/projects",
        ],
    ),
    Case(
        "config directory missing, its parent writable",
        before=lambda agent: shutil.rmtree(agent.config),
        known=False,
    ),
    Case(
        "a transcript of 40 days ago",
        before=lambda agent: os.utime(agent.transcript, (0, 0)),
    ),
)
# The rows of the table of silent losses, then what leads to the same.
ROWS = (
    Case(
        "whole config directory read-only",
        one("projects", "create", "EROFS"),
        arguments=lambda agent: [f"--volume={agent.config}:{CONFIG}:ro"],
    ),
    Case(
        "projects of root, 0755",
        one("projects", "create", "EACCES"),
        before=own("projects"),
    ),
    Case(
        "config directory of root, 0755, without projects",
        one("projects", "make", "EACCES"),
        before=without_projects,
        known=False,
    ),
    Case(
        "transcript 0444",
        one("transcript", "append", "EACCES"),
        before=lambda agent: agent.transcript.chmod(0o444),
    ),
    Case(
        "transcript of root, 0644",
        one("transcript", "append", "EACCES"),
        before=own("transcript", mode=0o644),
    ),
    Case(
        "transcript of root, 0600",
        one("transcript", "read", "EACCES"),
        before=own("transcript", mode=0o600),
    ),
    Case(
        "transcript empty",
        one("transcript", "empty", None),
        before=lambda agent: os.truncate(agent.transcript, 0),
    ),
    Case(
        "transcript deleted",
        one("transcript", "missing", "ENOENT"),
        before=lambda agent: agent.transcript.unlink(),
    ),
    Case(
        "project directory of root, 0755, transcript its own",
        one("project", "create", "EACCES"),
        before=own("project"),
    ),
    Case(
        "disk full: projects on 64 KB",
        one("projects", "write", "ENOSPC"),
        before=small_projects,
    ),
    Case(
        "disk full: memory on a small disk",
        both("write", "ENOSPC"),
        before=small_memory,
    ),
    Case(
        "/tmp read-only",
        one("temporary", "create", "EROFS"),
        temporary=False,
    ),
    Case(
        "remounted read-only in the running container",
        both("create", "EROFS"),
        after=remounted,
    ),
)
MORE = (
    Case("memory bound read-only", both("create", "EROFS"), memory="ro"),
    Case(
        "memory of root, 0755",
        one("place", "create", "EACCES"),
        before=own("memory"),
    ),
    Case(
        "the container runs as another user",
        frozenset({("place", "create", "EACCES"), ("projects", "reach", "EACCES")}),
        arguments=lambda agent: ["--user=30999:30999"],
    ),
    Case("memory not mounted", both("reach", "ENOENT"), memory=""),
    Case("memory replaced", both("mounted", None), after=replaced_memory),
    Case("memory removed", both("mounted", None), after=removed_memory),
    Case(
        "TMPDIR does not exist",
        one("temporary", "reach", "ENOENT"),
        arguments=lambda _agent: ["--env=TMPDIR=/nowhere"],
    ),
    Case(
        "config directory is a link",
        one("projects", "reach", "ENOTDIR"),
        before=linked_config,
    ),
    Case(
        "transcript is a link",
        one("transcript", "regular", None),
        before=linked_transcript,
    ),
    Case(
        "transcript is a pipe",
        one("transcript", "regular", None),
        before=piped_transcript,
    ),
    Case(
        "transcript immutable",
        one("transcript", "append", "EPERM"),
        before=lambda agent: run("chattr", "+i", str(agent.transcript)),
    ),
)
