# Copyright: (c) 2026, The Agentkeep authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How single parts of the engine's answer read in the words of a declaration."""

from __future__ import annotations

import re
from typing import Any, Iterator, Mapping

from .parts import Health, Port, Temporary

NANOSECONDS = 1_000_000_000
SIZE_RULE = re.compile(r"([0-9]+(?:\.[0-9]+)?) ?([kmgt]?)i?b?\Z", re.IGNORECASE)
ANONYMOUS = re.compile(r"[0-9a-f]{64}\Z")
USUAL_NAMESPACES = ("", "private", "shareable", "none", "default")
NAMESPACES = ("PidMode", "IpcMode", "UTSMode", "UsernsMode")


def size(text: Any, step: int) -> int | None:
    """Given a size such as 10m, return its bytes; *step* is 1000 or 1024."""
    found = SIZE_RULE.match(str(text).strip())
    if found is None:
        return None
    power = " kmgt".index(found.group(2).lower() or " ")
    return int(float(found.group(1)) * step**power)


def restart_of(policy: Mapping[str, Any]) -> str:
    """Return a restart policy as one writes it."""
    name = policy.get("Name") or "no"
    count = policy.get("MaximumRetryCount") or 0
    return f"{name}:{count}" if name == "on-failure" and count else str(name)


def variables_of(lines: Any) -> dict[str, str]:
    """Return variables by name from NAME=value lines."""
    pairs = (str(line).partition("=") for line in lines or ())
    return {name: value for name, _sign, value in pairs}


def health_of(check: Mapping[str, Any] | None) -> Health | None:
    """Return a health check with the engine's defaults filled in, or None."""
    test = tuple((check or {}).get("Test") or ())
    if check is None or not test or test[0] == "NONE":
        return None

    def seconds(key: str, default: float) -> float:
        return (check.get(key) or 0) / NANOSECONDS or default

    return Health(
        test=test,
        interval_seconds=seconds("Interval", 30.0),
        timeout_seconds=seconds("Timeout", 30.0),
        retries=check.get("Retries") or 3,
        start_period_seconds=seconds("StartPeriod", 0.0),
        start_interval_seconds=seconds("StartInterval", 0.0),
    )


def ports_of(host: Mapping[str, Any], config: Mapping[str, Any]) -> Iterator[Port]:
    """Yield the ports that the host publishes, whether or not the container runs."""
    for key, bindings in (host.get("PortBindings") or {}).items():
        target, _slash, protocol = key.partition("/")
        for one in bindings or ():
            number = str(one.get("HostPort") or "0")
            yield Port(
                host=one.get("HostIp") or "0.0.0.0",
                published=int(number) if number.isdigit() else 0,
                target=int(target),
                protocol=protocol or "tcp",
            )
    if host.get("PublishAllPorts"):
        for key in config.get("ExposedPorts") or {}:
            target, _slash, protocol = key.partition("/")
            yield Port("0.0.0.0", 0, int(target), protocol or "tcp")


def networks_of(
    host: Mapping[str, Any], settings: Mapping[str, Any], names: Mapping[str, str]
) -> tuple[str, ...]:
    """Return the names of the networks, none for a container without any.

    Compose names a network that it did not make by its id until the first start.
    """
    networks = settings.get("Networks") or {}
    known = {
        **names,
        **{
            one["NetworkID"]: name
            for name, one in networks.items()
            if one and one.get("NetworkID")
        },
    }
    found = {known.get(name, name) for name in networks}
    mode = str(host.get("NetworkMode") or "")
    if mode == "host" or mode.startswith("container:"):
        found.add(mode)
    return tuple(sorted(found - {"none"}))


def capabilities_of(host: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    """Return the capabilities that are dropped and those that are added."""
    return {
        word: tuple(
            sorted(
                name.upper()[4:] if name.upper().startswith("CAP_") else name.upper()
                for name in host.get(key) or ()
            )
        )
        for word, key in (("drop", "CapDrop"), ("add", "CapAdd"))
    }


def security_of(host: Mapping[str, Any]) -> dict[str, Any]:
    """Return what loosens or tightens the walls of a container."""
    options = [str(one).replace("=", ":", 1) for one in host.get("SecurityOpt") or ()]
    tight = ("no-new-privileges", "no-new-privileges:true")
    loose = [one for one in options if not one.startswith("no-new-privileges")]
    return {
        "no_new_privileges": any(one in tight for one in options),
        "privileged": bool(host.get("Privileged")),
        "options": sorted(loose),
        "namespaces": {
            key: host[key]
            for key in NAMESPACES
            if (host.get(key) or "") not in USUAL_NAMESPACES
        },
        "devices": sorted(
            str(one.get("PathOnHost", one)) for one in host.get("Devices") or ()
        ),
        "groups": sorted(host.get("GroupAdd") or ()),
        "unmasked": host.get("MaskedPaths") == [],
    }


def limits_of(host: Mapping[str, Any]) -> dict[str, Any]:
    """Return the limits of a container, None where there is none."""
    cpus = (host.get("NanoCpus") or 0) / NANOSECONDS
    if not cpus and (host.get("CpuQuota") or 0) > 0:
        cpus = host["CpuQuota"] / (host.get("CpuPeriod") or 100_000)
    tasks = host.get("PidsLimit") or 0
    return {
        "memory_bytes": host.get("Memory") or None,
        "cpus": cpus or None,
        "max_tasks": tasks if tasks > 0 else None,
    }


def logging_of(host: Mapping[str, Any]) -> dict[str, Any]:
    """Return the log driver and what it keeps at most."""
    found = host.get("LogConfig") or {}
    options = dict(found.get("Config") or {})
    files = str(options.pop("max-file", "1"))
    return {
        "driver": found.get("Type") or "",
        "log_bytes": size(options.pop("max-size", "0"), 1000) or None,
        "log_files": int(files) if files.isdigit() else None,
        "options": options,
    }


def temporary_of(host: Mapping[str, Any]) -> Iterator[Temporary]:
    """Yield the directories in memory, by whatever option they were made."""
    for target, text in (host.get("Tmpfs") or {}).items():
        options = [one for one in text.split(",") if one]
        pairs = dict(one.split("=", 1) for one in options if "=" in one)
        mode = pairs.get("mode", "1777")
        yield Temporary(
            target=target,
            bytes=size(pairs.get("size", "0"), 1024) or None,
            exec="exec" in options,
            mode=int(mode, 8) if re.fullmatch("[0-7]+", mode) else 0,
        )
    for one in host.get("Mounts") or ():
        if one.get("Type") == "tmpfs":
            own = one.get("TmpfsOptions") or {}
            yield Temporary(
                target=one.get("Target", ""),
                bytes=own.get("SizeBytes") or None,
                exec=["exec"] in (own.get("Options") or []),
                mode=own.get("Mode") or 0o1777,
            )
