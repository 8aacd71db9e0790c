# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""What makes the Claude CLI lose conversations without a word, row by row."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass

from silent_loss_deeds import (
    MEMORY,
    Agent,
    linked_config,
    linked_transcript,
    nothing,
    own,
    piped_transcript,
    remounted,
    removed_memory,
    replaced_memory,
    run,
    small_memory,
    small_projects,
    without_projects,
)

CONFIG = f"{MEMORY}/.claude"
Finding = tuple[str, str, str | None]


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
        "the engine made the working directory",
        one("place", "create", "EACCES"),
        arguments=lambda _agent: [f"--workdir={MEMORY}/work"],
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
