# Copyright: (c) 2026, The Agentkeep authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a service declares beside its mounts: health, ports, temporary directories."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass, field
from typing import Any, Mapping

from .values import (
    Fault,
    absolute,
    argument,
    arguments,
    flag,
    keys_of,
    number,
    text,
    whole,
)

HEALTH_KEYS = (
    "command",
    "shell",
    "interval_seconds",
    "timeout_seconds",
    "retries",
    "start_period_seconds",
    "start_interval_seconds",
)
PORT_KEYS = ("host", "published", "target", "protocol")
TEMPORARY_KEYS = ("target", "bytes", "exec", "mode")
FIND_KEYS = ("labels", "name")
MODE_RULE = re.compile(r"[0-7]{3,4}\Z")


@dataclass(frozen=True)
class Health:
    """Hold the health check of a container, with the engine's own defaults."""

    test: tuple[str, ...]
    interval_seconds: float = 30.0
    timeout_seconds: float = 30.0
    retries: int = 3
    start_period_seconds: float = 0.0
    start_interval_seconds: float = 0.0

    @classmethod
    def from_params(cls, params: Any) -> Health:
        """Given a health check as declared, return it; raise Fault."""
        given = keys_of("health", params, HEALTH_KEYS)
        if ("command" in given) == ("shell" in given):
            raise Fault("health has no command or two", "Give either command or shell.")
        if "command" in given:
            test: tuple[str, ...] = ("CMD", *arguments("health", given["command"]))
        else:
            test = ("CMD-SHELL", argument("health", given["shell"]))
        if len(test) < 2 or not test[1]:
            raise Fault("health has an empty command", "Write what to run.")
        seconds = {
            key: number(f"health.{key}", value)
            for key, value in given.items()
            if key.endswith("_seconds")
        }
        return cls(
            test=test, retries=whole("retries", given.get("retries", 3), 1), **seconds
        )

    def for_output(self) -> dict[str, Any]:
        """Return the health check as one reads it."""
        return {
            "test": list(self.test),
            "interval_seconds": self.interval_seconds,
            "timeout_seconds": self.timeout_seconds,
            "retries": self.retries,
            "start_period_seconds": self.start_period_seconds,
            "start_interval_seconds": self.start_interval_seconds,
        }


@dataclass(frozen=True)
class Port:
    """Hold a port of a container that the host publishes."""

    host: str
    published: int
    target: int
    protocol: str = "tcp"

    @classmethod
    def from_params(cls, params: Any) -> Port:
        """Given a port as declared, return it; raise Fault."""
        given = keys_of("a port", params, PORT_KEYS)
        missing = [key for key in ("published", "target") if key not in given]
        if missing:
            raise Fault(f'a port has no "{missing[0]}"', f'Add "{missing[0]}".')
        protocol = given.get("protocol", "tcp")
        if protocol not in ("tcp", "udp"):
            raise Fault(f"a port has the protocol {protocol!r}", "Write tcp or udp.")
        return cls(
            host=_address(given.get("host", "127.0.0.1")),
            published=whole("published", given["published"], 1, 65535),
            target=whole("target", given["target"], 1, 65535),
            protocol=protocol,
        )

    @property
    def written(self) -> str:
        """Return the port as docker's command line takes it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.published}:{self.target}/{self.protocol}"


@dataclass(frozen=True)
class Temporary:
    """Hold a directory in memory that is empty at each start."""

    target: str
    bytes: int | None = None
    exec: bool = False
    mode: int = 0o1777

    @classmethod
    def from_params(cls, params: Any) -> Temporary:
        """Given a temporary directory as declared, return it; raise Fault."""
        given = keys_of("a temporary directory", params, TEMPORARY_KEYS)
        mode = str(given.get("mode", "1777"))
        if not MODE_RULE.match(mode):
            raise Fault(
                f'a temporary directory has the mode "{mode}"', 'Write "1777" or so.'
            )
        size = whole("bytes", given.get("bytes", 0), 0)
        return cls(
            target=absolute("a temporary directory", given.get("target")),
            bytes=size or None,
            exec=flag("exec", given.get("exec", False)),
            mode=int(mode, 8),
        )

    @property
    def options(self) -> str:
        """Return its options as the engine takes them."""
        parts = [f"mode={self.mode:04o}"]
        if self.bytes:
            parts.append(f"size={self.bytes}")
        if self.exec:
            parts.append("exec")
        return ",".join(parts)


@dataclass(frozen=True)
class Find:
    """Hold how containers that another program makes are found."""

    labels: Mapping[str, str] = field(default_factory=dict)
    name: str | None = None

    @classmethod
    def from_params(cls, params: Any) -> Find:
        """Given labels and a pattern of names, return both; raise Fault."""
        given = keys_of("find", params, FIND_KEYS)
        labels = given.get("labels") or {}
        if not isinstance(labels, Mapping):
            raise Fault(f"find.labels is {labels!r}", "Write name: value.")
        name = text("find.name", given["name"]) if "name" in given else None
        if not labels and name is None:
            raise Fault("find has neither labels nor name", "Give one of them.")
        return cls(
            labels={
                text("find.labels", key): argument("find.labels", value)
                for key, value in labels.items()
            },
            name=name,
        )


def _address(value: Any) -> str:
    try:
        return str(ipaddress.ip_address(value))
    except ValueError as error:
        raise Fault(
            f"a port has the host {value!r}, which is no address",
            "Write an address such as 127.0.0.1.",
        ) from error
