# Copyright: (c) 2026, The Agentkeep authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The arguments of docker run that make a container, written from the same value."""

from __future__ import annotations

import shlex

from .._mounts.mount import EffectiveMount
from .container import Container


def run_arguments(container: Container) -> list[str]:
    """Given a container, return what follows ``docker run`` or ``docker create``.

    Secrets are given by name: their values must be in the environment of the command.
    A health check of several arguments becomes a command of a shell, since docker's
    command line knows no other.
    """
    one = container
    found = ["--pull", "never", "--name", one.name]
    for flag, value in (
        ("--user", one.user),
        ("--workdir", one.working_directory),
        ("--restart", one.restart),
        ("--stop-timeout", one.stop_grace_seconds),
        ("--memory", one.memory_bytes),
        ("--pids-limit", one.max_tasks),
    ):
        found += [flag, str(value)] if value is not None else []
    if one.cpus is not None:
        found += ["--cpus", f"{one.cpus:.9f}".rstrip("0").rstrip(".")]
    found += _hardening(one) + _networks(one) + _health(one) + _logging(one)
    for name, text in sorted(one.environment.items()):
        found += ["--env", f"{name}={text}"]
    for name in sorted(one.secret_environment):
        found += ["--env", name]
    for name, text in sorted(one.labels.items()):
        found += ["--label", f"{name}={text}"]
    for mount in one.mounts:
        found += _mount(mount)
    for directory in one.memory_directories:
        found += ["--tmpfs", directory]
    return [*found, *_process(one)]


def _hardening(one: Container) -> list[str]:
    found = ["--read-only"] if one.read_only else []
    if one.init is not None:
        found.append(f"--init={str(one.init).lower()}")
    if one.capabilities is not None:
        found += ["--cap-drop", "ALL"]
    for capability in one.capabilities or ():
        found += ["--cap-add", capability]
    if one.no_new_privileges:
        found += ["--security-opt", "no-new-privileges:true"]
    return found


def _networks(one: Container) -> list[str]:
    if not one.networks:
        return ["--network", "none"]
    found = []
    for network in one.networks:
        found += ["--network", f"name={network},alias={one.service}"]
    for port in one.ports:
        found += ["--publish", port.written]
    return found


def _health(one: Container) -> list[str]:
    if one.health is None:
        return []
    kind, *words = one.health.test
    found = ["--health-cmd", shlex.join(words) if kind == "CMD" else words[0]]
    for flag, seconds in (
        ("--health-interval", one.health.interval_seconds),
        ("--health-timeout", one.health.timeout_seconds),
        ("--health-start-period", one.health.start_period_seconds),
        ("--health-start-interval", one.health.start_interval_seconds),
    ):
        found += [flag, f"{round(seconds * 1000)}ms"] if seconds else []
    return [*found, "--health-retries", str(one.health.retries)]


def _logging(one: Container) -> list[str]:
    if one.log_bytes is None:
        return []
    return [
        *("--log-driver", "json-file"),
        *("--log-opt", f"max-size={one.log_bytes}"),
        *("--log-opt", f"max-file={one.log_files or 1}"),
    ]


def _mount(mount: EffectiveMount) -> list[str]:
    if mount.options:
        # Only the short form takes them; a source is no path with a colon here.
        options = ",".join((mount.effective, *mount.options))
        return ["--volume", f"{mount.source}:{mount.target}:{options}"]
    parts = [f"type={mount.type}", f"source={mount.source}", f"target={mount.target}"]
    if mount.type == "volume":
        parts.append("volume-nocopy")
    if mount.read_only:
        parts.append("readonly")
    return ["--mount", ",".join(_field(part) for part in parts)]


def _field(text: str) -> str:
    """Return a field of a line of comma-separated values."""
    if any(sign in text for sign in ',"\n\r'):
        return '"' + text.replace('"', '""') + '"'
    return text


def _process(one: Container) -> list[str]:
    image = str(one.image)
    if one.entrypoint is None:
        return [image, *(one.command or ())]
    program, *words = one.entrypoint
    return ["--entrypoint", program, image, *words, *(one.command or ())]
