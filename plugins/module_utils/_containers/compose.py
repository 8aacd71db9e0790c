# Copyright: (c) 2026, The Agentkeep authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The compose file of a deployment, written from its containers."""

from __future__ import annotations

import re
from typing import Any, Iterable, Mapping

from .._mounts.mount import EffectiveMount
from .container import Container

HEAD = "# Made from the state inventory by agentkeep.agents.deployment; do not edit.\n"
# What YAML does not take as it is, besides quotes and backslashes.
UNPRINTABLE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff\ud800-\udfff]"
)
PLAIN_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*\Z")
SELINUX = ("z", "Z")


def compose_text(
    containers: Iterable[Container],
    project: str,
    networks: Iterable[str] = (),
    volumes: Iterable[str] = (),
) -> str:
    """Given containers, return the compose file; equal input gives equal bytes (D02).

    Networks and volumes are made by the deployment with their labels, and named by
    their full names here (D03). No secret is in the text, only its name (D10).
    """
    found = sorted(containers, key=lambda one: one.service)
    document: dict[str, Any] = {
        "name": project,
        "services": {one.service: _service(one) for one in found},
    }
    used = {name for one in found for name in one.networks or ()}
    document["networks"] = _external({*networks, *used})
    mounted = {m.source for one in found for m in one.mounts if m.type == "volume"}
    document["volumes"] = _external({*volumes, *mounted})
    return HEAD + "\n".join(_lines(_without_empty(document), 0)) + "\n"


def _external(names: Iterable[str]) -> dict[str, Any]:
    return {name: {"external": True, "name": name} for name in sorted(names)}


def _service(one: Container) -> dict[str, Any]:
    return {
        **_without_empty(
            {
                "container_name": one.name,
                "image": one.image,
                "pull_policy": "never",
                "user": one.user,
                "entrypoint": list(one.entrypoint or ()),
                "command": list(one.command or ()),
                "working_dir": one.working_directory,
                "environment": {
                    **one.environment,
                    **dict.fromkeys(one.secret_environment),
                },
                "labels": dict(one.labels),
                "volumes": [_mount(mount) for mount in one.mounts],
                "tmpfs": list(one.memory_directories),
                "ports": _ports(one),
                "networks": list(one.networks or ()),
                "healthcheck": _health(one),
                "logging": _logging(one),
            }
        ),
        **_limits(one),
        **({} if one.networks else {"network_mode": "none"}),
    }


def _limits(one: Container) -> dict[str, Any]:
    found: dict[str, Any] = {
        "restart": one.restart,
        "read_only": one.read_only,
        "init": one.init,
        "mem_limit": one.memory_bytes,
        "cpus": one.cpus,
        "pids_limit": one.max_tasks,
    }
    if one.stop_grace_seconds is not None:
        found["stop_grace_period"] = f"{one.stop_grace_seconds}s"
    if one.capabilities is not None:
        found["cap_drop"] = ["ALL"]
        found["cap_add"] = list(one.capabilities) or None
    if one.no_new_privileges:
        found["security_opt"] = ["no-new-privileges:true"]
    return {key: value for key, value in found.items() if value is not None}


def _mount(mount: EffectiveMount) -> dict[str, Any]:
    found: dict[str, Any] = {
        "type": mount.type,
        "source": mount.source,
        "target": mount.target,
        "read_only": mount.read_only,
    }
    for option in mount.options:
        if option not in SELINUX:
            found["consistency"] = option
    if mount.type == "volume":
        # Copying would give it the owner that the image has there.
        found["volume"] = {"nocopy": True}
    if mount.type == "bind":
        found["bind"] = {"create_host_path": False}
        for option in mount.options:
            if option in SELINUX:
                found["bind"]["selinux"] = option
    return found


def _ports(one: Container) -> list[dict[str, Any]]:
    return [
        {
            "host_ip": port.host,
            "published": str(port.published),
            "target": port.target,
            "protocol": port.protocol,
        }
        for port in one.ports
    ]


def _health(one: Container) -> dict[str, Any]:
    if one.health is None:
        return {}
    found = {
        "test": list(one.health.test),
        "interval": _duration(one.health.interval_seconds),
        "timeout": _duration(one.health.timeout_seconds),
        "retries": one.health.retries,
        "start_period": _duration(one.health.start_period_seconds),
    }
    if one.health.start_interval_seconds:
        found["start_interval"] = _duration(one.health.start_interval_seconds)
    return found


def _logging(one: Container) -> dict[str, Any]:
    if one.log_bytes is None:
        return {}
    options = {"max-size": str(one.log_bytes), "max-file": str(one.log_files or 1)}
    return {"driver": "json-file", "options": options}


def _duration(seconds: float) -> str:
    return f"{round(seconds * 1000)}ms"


def _without_empty(found: Mapping[str, Any]) -> dict[str, Any]:
    return {key: one for key, one in found.items() if one not in (None, [], {})}


def _lines(value: Any, depth: int) -> list[str]:
    """Return a mapping or list as lines of YAML, keys in the order of their names."""
    margin = "  " * depth
    lines = []
    if isinstance(value, list):
        for one in value:
            inner = _lines(one, depth + 1) if _is_nested(one) else [_scalar(one)]
            lines.append(f"{margin}- {inner[0].lstrip()}")
            lines += inner[1:]
        return lines
    for key in value if depth == 0 else sorted(value):
        name = key if PLAIN_KEY.match(key) else _quoted(key)
        if _is_nested(value[key]):
            lines.append(f"{margin}{name}:")
            lines += _lines(value[key], depth + 1)
        else:
            lines.append(f"{margin}{name}: {_scalar(value[key])}")
    return lines


def _is_nested(value: Any) -> bool:
    return isinstance(value, (dict, list)) and bool(value)


def _scalar(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return f"{value:.9f}".rstrip("0").rstrip(".")
    if isinstance(value, (dict, list)):
        return "{}" if isinstance(value, dict) else "[]"
    # Compose reads $ as the beginning of a variable; two of them are one.
    return _quoted(str(value).replace("$", "$$"))


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return (
        '"' + UNPRINTABLE.sub(lambda one: f"\\u{ord(one.group()):04x}", escaped) + '"'
    )
