# Copyright: (c) 2026, The Agentkeep authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a deployment declares of the container of one component."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, Callable, Mapping

from .._state.names import name_fault
from .parts import Find, Health, Port, Temporary
from .values import (
    Fault,
    absolute,
    arguments,
    flag,
    items_of,
    keys_of,
    number,
    text,
    variables,
    whole,
)

RESTART_RULE = re.compile(r"(no|always|unless-stopped|on-failure(:[1-9][0-9]{0,5})?)\Z")
CAPABILITY_RULE = re.compile(r"[A-Z][A-Z_]{2,40}\Z")
MOUNT_OPTIONS = ("z", "Z", "cached", "consistent", "delegated")
LEAST_MEMORY_BYTES = 6 * 1024 * 1024

# What a container of ours is unless its service says otherwise (D04, D25).
HARDENED: Mapping[str, Any] = {
    "restart": "unless-stopped",
    "stop_grace_seconds": 10,
    "read_only": True,
    "capabilities": (),
    "no_new_privileges": True,
    "init": False,
    "networks": (),
    "log_bytes": 10_000_000,
    "log_files": 3,
}


@dataclass(frozen=True)
class Service:
    """Hold what is declared of a component's container; None is not declared.

    What is not declared is the image's own in a container that we make, and is not
    looked at in one that another program makes.
    """

    image: str | None = None
    command: tuple[str, ...] | None = None
    entrypoint: tuple[str, ...] | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    secret_environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    networks: tuple[str, ...] | None = None
    ports: tuple[Port, ...] = ()
    health: Health | None = None
    restart: str | None = None
    stop_grace_seconds: int | None = None
    read_only: bool | None = None
    capabilities: tuple[str, ...] | None = None
    no_new_privileges: bool | None = None
    init: bool | None = None
    memory_bytes: int | None = None
    cpus: float | None = None
    max_tasks: int | None = None
    temporary: tuple[Temporary, ...] = ()
    log_bytes: int | None = None
    log_files: int | None = None
    working_directory: str | None = None
    config_directory: str | None = None
    needs: tuple[str, ...] = ()
    stop_order: int = 0
    find: Find | None = None
    mount_options: tuple[str, ...] = ()

    @classmethod
    def from_params(
        cls,
        component: str,
        params: Any,
        *,
        managed: bool = True,
        secrets: Mapping[str, str] | None = None,
    ) -> Service:
        """Given a service and its secrets, return both as one; raise InvalidInput."""
        try:
            _check_no_secrets(params)
            given = keys_of("it", params, KEYS)
            found = {key: READERS[key](key, value) for key, value in given.items()}
            service = cls(
                **{**(HARDENED if managed else {}), **found},
                secret_environment=dict(secrets or {}),
            )
            _check_sense(service, managed=managed)
        except Fault as fault:
            raise fault.of(f'service "{component}"') from fault
        return service


def _list(reader: Callable[[Any], Any]) -> Callable[[str, Any], tuple[Any, ...]]:
    return lambda key, value: tuple(reader(one) for one in items_of(key, value))


def _none_if_zero(lowest: int) -> Callable[[str, Any], int | None]:
    def read(key: str, value: Any) -> int | None:
        return None if value in (0, "0") else whole(key, value, lowest)

    return read


def _image(key: str, value: Any) -> str:
    found = text(key, value)
    if any(sign.isspace() for sign in found) or found.startswith("-"):
        raise Fault(f"{key} is {value!r}", "Write a tag, a digest or an image id.")
    return found


def _restart(key: str, value: Any) -> str:
    # YAML reads an unquoted no as false.
    found = "no" if value is False else value
    if not isinstance(found, str) or not RESTART_RULE.match(found):
        raise Fault(
            f"{key} is {value!r}",
            "Write no, always, unless-stopped, on-failure or on-failure:5.",
        )
    return found


def _names(key: str, value: Any) -> tuple[str, ...]:
    found = items_of(key, value)
    for one in found:
        fault = name_fault(one)
        if fault:
            raise Fault(f"{key}: {fault}", "Write short names.")
        if found.count(one) > 1:
            raise Fault(f'{key} holds "{one}" twice', "Remove one of them.")
    return found


def _capabilities(key: str, value: Any) -> tuple[str, ...]:
    found = []
    for one in arguments(key, value):
        name = one.upper()
        name = name[4:] if name.startswith("CAP_") else name
        if not CAPABILITY_RULE.match(name):
            raise Fault(f'{key} holds "{one}"', "Write names such as CHOWN.")
        found.append(name)
    return tuple(sorted(set(found)))


def _mount_options(key: str, value: Any) -> tuple[str, ...]:
    found = arguments(key, value)
    for one in found:
        if one not in MOUNT_OPTIONS:
            raise Fault(f'{key} holds "{one}"', f"Use {', '.join(MOUNT_OPTIONS)}.")
    return tuple(sorted(set(found)))


def _cpus(key: str, value: Any) -> float | None:
    return number(key, value) or None


READERS: Mapping[str, Callable[[str, Any], Any]] = {
    "image": _image,
    "command": arguments,
    "entrypoint": arguments,
    "environment": variables,
    "networks": _names,
    "ports": _list(Port.from_params),
    "health": lambda _key, value: Health.from_params(value),
    "restart": _restart,
    "stop_grace_seconds": lambda key, value: whole(key, value, 0, 86400),
    "read_only": flag,
    "capabilities": _capabilities,
    "no_new_privileges": flag,
    "init": flag,
    "memory_bytes": _none_if_zero(LEAST_MEMORY_BYTES),
    "cpus": _cpus,
    "max_tasks": _none_if_zero(1),
    "temporary": _list(Temporary.from_params),
    "log_bytes": _none_if_zero(1024),
    "log_files": lambda key, value: whole(key, value, 1, 1000),
    "working_directory": absolute,
    "config_directory": absolute,
    "needs": _names,
    "stop_order": lambda key, value: whole(key, value, 0, 10**6),
    "find": lambda _key, value: Find.from_params(value),
    "mount_options": _mount_options,
}
KEYS = tuple(READERS)


def _check_no_secrets(params: Any) -> None:
    if isinstance(params, Mapping) and "secret_environment" in params:
        raise Fault(
            "it has secret_environment, which would be shown in the task's output",
            "Move it to the option secret_environment, below the service's name.",
        )


def _check_sense(service: Service, *, managed: bool) -> None:
    if managed and service.image is None:
        raise Fault('it has no "image"', 'Add "image".')
    if managed and service.find is not None:
        raise Fault("it has find", "Remove find, or set managed to false.")
    if service.command == () or service.entrypoint == ():
        raise Fault("its command or entrypoint is empty", "Leave it out.")
    both = sorted(set(service.environment) & set(service.secret_environment))
    if both:
        raise Fault(
            f'"{both[0]}" is in environment and in secret_environment',
            "Remove it from one of them.",
        )
    if service.ports and service.networks == ():
        raise Fault("it publishes a port and has no network", "Give it a network.")
    targets = [one.target for one in service.temporary]
    twice = [target for target in targets if targets.count(target) > 1]
    if twice:
        raise Fault(
            f'it has two temporary directories at "{twice[0]}"', "Remove one of them."
        )
