# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""An agent as it should be, and what is done to it for real."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

MEMORY = "/data/memory"
REMOUNT = f"""
import ctypes, os, sys
libc = ctypes.CDLL(None, use_errno=True)
namespace = os.open(f"/proc/{{sys.argv[1]}}/ns/mnt", os.O_RDONLY)
assert libc.setns(namespace, 0x00020000) == 0, os.strerror(ctypes.get_errno())
read_only_bind = 0x1 | 0x20 | 0x1000
done = libc.mount(b"none", b"{MEMORY}", None, read_only_bind, None)
assert done == 0, os.strerror(ctypes.get_errno())
"""


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
