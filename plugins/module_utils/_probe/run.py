# Copyright: (c) 2026, The Agentkeep authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The probe of every container of a deployment, from the host."""

from __future__ import annotations

import contextlib
import os
import secrets
import time
from dataclasses import dataclass, field, replace
from typing import Any, Callable, Iterator, Mapping, Protocol, Sequence

from .._containers.container import Container
from .._engine.engine import connect
from .._engine.mount_table import read_source
from .._errors import ProbeFailed
from .._mounts.mount import EffectiveMount
from .attempt import BLOCK_BYTES, Sweeping, Writing
from .fault import Fault, faults_of
from .found import Listed, Running, found_id
from .inside import Child, begin
from .look import Look
from .options import Inside
from .places import Facts, task_of
from .process import Process
from .result import Probed, confirmed, demand_none
from .task import Task

PREFIX = ".agentkeep-probe-"
POLL_SECONDS = 0.25
SWEEP_SECONDS = 5.0
AT_ONCE = 8
# Where programs put temporary files unless they are told.
TEMPORARY = "/tmp"

Sessions = Mapping[str, Mapping[str, str]]


class Engine(Protocol):
    """Ask the engine for containers."""

    def containers(self) -> Sequence[Listed]:
        """Return every container."""

    def inspect(self, container: str) -> Mapping[str, Any] | None:
        """Return what the engine knows of a container, or None."""


def probe_inside(
    asked: Inside, sessions: Sessions, is_kept: Callable[[str, str], bool]
) -> tuple[Probed, ...]:
    """Probe every container; raise StateAtRisk with what is wrong unless told not to.

    *is_kept* says whether a conversation still has a session that must be on disk.
    """
    engine = connect(asked.engine_socket)
    found = confirmed(probe_containers(engine, asked, sessions), is_kept)
    demand_none(asked.deployment.name, asked.faults, found)
    return found


def probe_containers(
    engine: Engine, asked: Inside, sessions: Sessions
) -> tuple[Probed, ...]:
    """Probe every container once it runs; return what was found in each.

    *sessions* maps the sessions of each agent to their conversations.
    """
    running = _settled(engine, asked)
    pairs = list(zip(asked.containers, running))
    return tuple(
        probed
        for start in range(0, len(pairs), AT_ONCE)
        for probed in _probe_some(pairs[start : start + AT_ONCE], asked, sessions)
    )


def _settled(engine: Engine, asked: Inside) -> tuple[Running, ...]:
    end = time.monotonic() + asked.wait_seconds
    while True:
        listed = engine.containers()
        running = tuple(
            _inspected(engine, found_id(one, asked.deployment.name, listed))
            for one in asked.containers
        )
        waiting = any(
            _must_run(one) and not there.settled
            for one, there in zip(asked.containers, running)
        )
        if not waiting or time.monotonic() >= end:
            return running
        time.sleep(POLL_SECONDS)


def _inspected(engine: Engine, container: str | None) -> Running:
    return Running.from_inspect(engine.inspect(container) if container else None)


def _probe_some(
    pairs: Sequence[tuple[Container, Running]], asked: Inside, sessions: Sessions
) -> list[Probed]:
    """Probe some containers at once; one that cannot be probed hides no other."""
    begun: list[_Begun] = []
    probed = {}
    for container, running in pairs:
        name = container.service
        probed[name] = _stopped(container, running)
        if not running.runs:
            continue
        try:
            known = sessions.get(container.agent or "", {})
            begun.append(_begin(container, running, asked, known))
        except ProbeFailed as error:
            probed[name] = _failed(Probed(container, running), error)
    for one in begun:
        try:
            done = one.finished(asked.timeout_seconds)
        except ProbeFailed as error:
            done = _failed(one.empty, error)
        probed[done.container.service] = done
        one.process.close()
    return list(probed.values())


def _failed(probed: Probed, error: ProbeFailed) -> Probed:
    fault = _fault(probed.container, "probed", probed.container.name, error.why)
    return replace(probed, faults=(*probed.faults, fault))


def _must_run(container: Container) -> bool:
    """Return whether it is ours to start; other programs start theirs as they like."""
    return container.managed and container.start


def _stopped(container: Container, running: Running) -> Probed:
    faults: tuple[Fault, ...] = ()
    if _must_run(container):
        faults = (_fault(container, "stopped", container.name),)
    return Probed(container, running, faults=faults)


def _begin(
    container: Container, running: Running, asked: Inside, known: Mapping[str, str]
) -> _Begun:
    process = Process.opened(container.name, running.id, running.pid)
    try:
        facts = Facts(
            working_directory=running.working_directory,
            temporary=_temporary(container, process),
            sources=_sources(container, running, asked.deployment.data_root),
            sessions=known,
        )
        task = task_of(asked.deployment, container, facts)
        name = f"{PREFIX}{secrets.token_hex(12)}"
        writing = Writing(name, os.urandom(BLOCK_BYTES))
        runs_as = process.runs_as()
        child = begin(process, lambda own: Look(task, writing, own).answer())
    except ProbeFailed:
        process.close()
        raise
    faults = tuple(_declared_faults(container, task))
    empty = Probed(container, running, runs_as.uid, runs_as.gid, task, faults)
    return _Begun(empty, process, writing, child)


def _temporary(container: Container, process: Process) -> str | None:
    told = process.temporary()
    if told is None and container.config_directory is not None:
        return TEMPORARY
    return told


def _sources(
    container: Container, running: Running, data_root: str
) -> dict[str, tuple[int, int] | None]:
    return {
        mount.target: _identity(mount, running, data_root) for mount in container.mounts
    }


def _identity(
    mount: EffectiveMount, running: Running, data_root: str
) -> tuple[int, int] | None:
    bind = mount.type == "bind"
    path = mount.source if bind else running.sources.get(mount.target)
    if not path:
        return None
    found = read_source(path, data_root)
    if found.exists and found.device is not None and found.inode is not None:
        return found.device, found.inode
    return (0, 0) if bind else None


def _declared_faults(container: Container, task: Task) -> Iterator[Fault]:
    if container.config_directory is not None and task.transcripts is None:
        yield _fault(container, "unmounted", container.config_directory)
    if task.temporary is not None and not task.temporary.startswith("/"):
        yield _fault(container, "absolute", task.temporary)


def _fault(container: Container, step: str, path: str, why: str = "") -> Fault:
    return Fault(
        service=container.service,
        agent=container.agent,
        entry=None,
        subject="container",
        path=path,
        step=step,
        why=why,
    )


@dataclass(frozen=True)
class _Begun:
    """Hold a probe that is at work in one container."""

    empty: Probed
    process: Process
    writing: Writing
    child: Child
    started: float = field(default_factory=time.monotonic)

    def finished(self, timeout_seconds: float) -> Probed:
        """Return what it found; a probe that takes too long is a fault."""
        answer = self.child.answer(self.started + timeout_seconds)
        probed = self.empty
        if answer is None:
            self._sweep()
            slow = _fault(probed.container, "slow", probed.container.name)
            faults = (*probed.faults, slow)
            return replace(probed, faults=faults, seconds=timeout_seconds)
        who = (probed.container.service, probed.container.agent, probed.uid)
        found = faults_of(answer, who, probed.task.sessions)
        return replace(
            probed,
            faults=(*probed.faults, *found),
            more=answer["more"],
            transcripts=answer["transcripts"],
            seconds=answer["seconds"],
        )

    def _sweep(self) -> None:
        """Remove what the probe left when it was killed."""
        sweeping, task = Sweeping(self.writing.name, b""), self.empty.task
        with contextlib.suppress(ProbeFailed):
            child = begin(self.process, lambda own: Look(task, sweeping, own).answer())
            child.answer(time.monotonic() + SWEEP_SECONDS)
