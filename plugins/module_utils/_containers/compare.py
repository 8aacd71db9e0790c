# Copyright: (c) 2026, The Agentkeep authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What differs between a declared container and the one that is there."""

from __future__ import annotations

import shlex
from typing import Any, Iterator, Mapping

from .compare_mounts import mount_differences, source_differences
from .container import SETTINGS_LABEL, Container
from .difference import (
    LAYOUT,
    MASK,
    RECREATE,
    START,
    Difference,
    masked,
)
from .observed import Observed
from .parts import Health
from .reading import ANONYMOUS, health_of, variables_of

__all__ = ["LAYOUT", "MASK", "RECREATE", "START", "Difference", "differences"]

RUNNING = ("running", "restarting")
STARTABLE = ("created", "exited")
# What compose and the desktop engine add themselves.
FOREIGN_LABELS = ("com.docker.compose.", "desktop.docker.io/", "com.docker.desktop.")
# What docker's command line gives to every container where it is told to use a proxy.
PROXIES = frozenset(
    name
    for word in ("HTTP", "HTTPS", "FTP", "NO", "ALL")
    for name in (f"{word}_PROXY", f"{word}_PROXY".lower())
)
DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
DEFAULT_STOP_SECONDS = 10
CPU_TOLERANCE = 1e-6


def differences(container: Container, observed: Observed) -> tuple[Difference, ...]:
    """Given what is declared and what is there, return every difference.

    A container that is stopped and should run is a difference of the field state,
    healed by start. Values of secrets are masked, and so are those of variables that
    are not declared.
    """
    return (
        *_image(container, observed),
        *mount_differences(container, observed),
        *_environment(container, observed),
        *_process(container, observed),
        *_labels(container, observed),
        *_reach(container, observed),
        *_hardening(container, observed),
        *_limits(container, observed),
        *source_differences(container, observed),
        *_state(container, observed),
    )


def _differs(field: str, old: Any, new: Any, subject: str = "") -> Iterator[Difference]:
    if old != new:
        yield Difference(field, old, new, subject=subject)


def _image(container: Container, observed: Observed) -> Iterator[Difference]:
    if container.image_id is not None:
        yield from _differs("image", observed.image_id, container.image_id)
    elif container.image is not None:
        yield from _differs("image", observed.image, container.image)


def _environment(container: Container, observed: Observed) -> Iterator[Difference]:
    there, secrets = observed.environment, container.secret_environment
    for name, value in sorted({**container.environment, **secrets}.items()):
        if there.get(name) == value:
            continue
        old, new = there.get(name), value
        if name in secrets:
            old, new = None if old is None else MASK, MASK
        else:
            old = None if old is None else masked(name, old)
            new = masked(name, new)
        kind = "missing" if old is None else "changed"
        yield Difference("environment", old, new, kind=kind, subject=name)
    if not container.managed or observed.image_config is None:
        return
    given = {"PATH": DEFAULT_PATH, **variables_of(observed.image_config.get("Env"))}
    for name, value in sorted(there.items()):
        known = name in container.environment or name in secrets or name in PROXIES
        if not known and given.get(name) != value:
            yield Difference("environment", MASK, None, kind="extra", subject=name)


def _process(container: Container, observed: Observed) -> Iterator[Difference]:
    image = observed.image_config
    wanted = _arguments(container, image)
    if wanted is not None:
        yield from _differs("command", list(observed.arguments), list(wanted))
    if container.user is not None and _is_comparable_user(container, observed):
        yield from _differs("user", observed.user, container.user)
    directory = container.working_directory
    if directory is None and container.managed and image is not None:
        directory = image.get("WorkingDir") or ""
    if directory is not None:
        yield from _differs("working_directory", observed.working_directory, directory)
    if container.restart is not None:
        yield from _differs("restart", observed.restart, container.restart)
    if container.stop_grace_seconds is not None:
        old = observed.stop_grace_seconds
        old = DEFAULT_STOP_SECONDS if old is None else old
        yield from _differs("stop_grace", old, container.stop_grace_seconds)
    if container.init is not None:
        yield from _differs("init", observed.init, container.init)


def _is_comparable_user(container: Container, observed: Observed) -> bool:
    """Return whether users can be compared: another program may name it, or not."""
    if container.managed:
        return True
    user, _sign, group = observed.user.partition(":")
    wanted = str(container.user).partition(":")[0]
    return user.isdigit() and (group.isdigit() or user != wanted)


def _arguments(
    container: Container, image: Mapping[str, Any] | None
) -> tuple[str, ...] | None:
    """Return what the process must be started with, or None if that is not known."""
    command, entrypoint = container.command, container.entrypoint
    if entrypoint is not None:
        return (*entrypoint, *(command or ()))
    if image is None or not (container.managed or command is not None):
        return None
    own = image.get("Cmd") or () if command is None else command
    return (*(image.get("Entrypoint") or ()), *own)


def _labels(container: Container, observed: Observed) -> Iterator[Difference]:
    there = observed.labels
    for name, value in sorted(container.labels.items()):
        if there.get(name) != value:
            field = "settings" if name == SETTINGS_LABEL else "labels"
            kind = "changed" if name in there else "missing"
            yield Difference(field, there.get(name), value, kind=kind, subject=name)
    if not container.managed or observed.image_config is None:
        return
    given = observed.image_config.get("Labels") or {}
    for name, value in sorted(there.items()):
        known = name in container.labels or given.get(name) == value
        if not known and not name.startswith(FOREIGN_LABELS):
            field = "settings" if name == SETTINGS_LABEL else "labels"
            yield Difference(field, value, None, kind="extra", subject=name)


def _reach(container: Container, observed: Observed) -> Iterator[Difference]:
    if container.networks is not None:
        old, new = list(observed.networks), sorted(container.networks)
        unnamed = [one for one in old if ANONYMOUS.match(one)]
        # A container that never ran may only know the ids of its networks.
        strange = set(old) - set(new) - set(unnamed)
        if strange or len(old) != len(new):
            yield Difference("networks", old, new)
    if container.managed or container.ports:
        old = sorted(one.written for one in observed.ports)
        yield from _differs(
            "ports", old, sorted(one.written for one in container.ports)
        )
    wanted = container.health
    if wanted is None and container.managed and observed.image_config is not None:
        wanted = health_of(observed.image_config.get("Healthcheck"))
    elif wanted is None:
        return
    if _comparable(observed.check) != _comparable(wanted):
        yield Difference("health", _shown(observed.check), _shown(wanted))


def _comparable(check: Health | None) -> tuple[Any, ...] | None:
    """Return a health check so that both ways of writing one command are equal."""
    if check is None:
        return None
    kind, *words = check.test
    seconds = (
        check.interval_seconds or 30,
        check.timeout_seconds or 30,
        check.start_period_seconds,
        check.start_interval_seconds,
    )
    text = shlex.join(words) if kind == "CMD" else " ".join(words)
    return (text, check.retries, *(round(one * 1000) for one in seconds))


def _shown(check: Health | None) -> dict[str, Any] | None:
    return check.for_output() if check else None


def _hardening(container: Container, observed: Observed) -> Iterator[Difference]:
    if container.read_only is not None:
        yield from _differs("read_only", observed.read_only, container.read_only)
    if container.capabilities is not None:
        wanted = {"drop": ["ALL"], "add": list(container.capabilities)}
        old = {key: list(names) for key, names in observed.capabilities.items()}
        yield from _differs("capabilities", old, wanted)
    if container.no_new_privileges is not None:
        yield from _security(container, observed)
    if not container.managed and not container.temporary:
        return
    there = {one.target: one.options for one in observed.temporary}
    declared = {one.target: one.options for one in container.temporary}
    for target in sorted({*there, *declared}):
        yield from _differs(
            "temporary", there.get(target), declared.get(target), target
        )


def _security(container: Container, observed: Observed) -> Iterator[Difference]:
    wanted: dict[str, Any] = {"no_new_privileges": container.no_new_privileges}
    if container.managed:
        wanted = {
            **{key: type(value)() for key, value in observed.security.items()},
            **wanted,
        }
    for key, value in wanted.items():
        yield from _differs("security", observed.security.get(key), value, key)


def _limits(container: Container, observed: Observed) -> Iterator[Difference]:
    for key in ("memory_bytes", "cpus", "max_tasks"):
        old, new = observed.limits.get(key), getattr(container, key)
        if new is None and not container.managed:
            continue
        # Compose keeps a share of processors as a number of 32 bits.
        if key == "cpus" and old and new and abs(old - new) <= CPU_TOLERANCE * new:
            continue
        yield from _differs("limits", old, new, key)
    if container.log_bytes is not None:
        wanted = {
            "driver": "json-file",
            "log_bytes": container.log_bytes,
            "log_files": container.log_files or 1,
            "options": {},
        }
        for key, value in wanted.items():
            yield from _differs("logging", observed.logging.get(key), value, key)


def _state(container: Container, observed: Observed) -> Iterator[Difference]:
    if container.start and observed.state not in RUNNING:
        heal = START if observed.state in STARTABLE else RECREATE
        yield Difference("state", observed.state, "running", heal=heal)
