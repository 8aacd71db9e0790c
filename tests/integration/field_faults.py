# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""K03: every field of a container, added to, taken from and altered by hand."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

from engine_api import Order
from fault_table import Case, Fault, altered

HEALTH = {"command": ["true"], "interval_seconds": 5, "timeout_seconds": 5}
PUBLISHED = {"ports": [{"host": "127.0.0.1", "published": 0, "target": 8080}]}
Alter = Callable[[Order, Case], object]


def host(**options: Any) -> Alter:
    """Return what sets options of the host's part of an order."""
    return lambda order, case: order["HostConfig"].update(options)


def top(**options: Any) -> Alter:
    """Return what sets options of an order."""
    return lambda order, case: order.update(options)


def variable(name: str, value: str | None) -> Alter:
    """Return what gives a variable another value, or takes it away."""

    def alter(order: Order, case: Case) -> None:
        kept = [one for one in order["Env"] if not one.startswith(f"{name}=")]
        order["Env"] = kept + ([] if value is None else [f"{name}={value}"])

    return alter


def label(name: str, value: str | None) -> Alter:
    """Return what gives a label another value, or takes it away."""

    def alter(order: Order, case: Case) -> None:
        order["Labels"].pop(name, None)
        if value is not None:
            order["Labels"][name] = value

    return alter


def port(host_ip: str, published: int, target: int) -> Alter:
    """Return what publishes one more port, or the same one elsewhere."""

    def alter(order: Order, case: Case) -> None:
        own = order["HostConfig"]["PortBindings"]
        own[f"{target}/tcp"] = [{"HostIp": host_ip, "HostPort": str(published)}]
        order.setdefault("ExposedPorts", {})[f"{target}/tcp"] = {}

    return alter


def networks(*names: str) -> Alter:
    """Return what connects a container to these networks and no other."""

    def alter(order: Order, case: Case) -> None:
        order["HostConfig"]["NetworkMode"] = names[0]
        order["NetworkingConfig"] = {"EndpointsConfig": {name: {} for name in names}}

    return alter


def mount(target: str, **changes: Any) -> Alter:
    """Return what alters the mount at a target."""

    def alter(order: Order, case: Case) -> None:
        for one in order["HostConfig"]["Mounts"]:
            if one["Target"] == target:
                one.update(changes)

    return alter


def one_mount_more(order: Order, case: Case) -> None:
    """Mount a directory that nobody declared."""
    order["HostConfig"]["Mounts"].append(
        {
            "Type": "bind",
            "Source": str(case.directory("skill-data")),
            "Target": "/data/more",
            "ReadOnly": True,
        }
    )


def one_mount_less(order: Order, case: Case) -> None:
    """K04: leave out the mount that makes the transcripts durable."""
    order["HostConfig"]["Mounts"] = [
        one
        for one in order["HostConfig"]["Mounts"]
        if one["Target"] != "/config/projects"
    ]


def another_source(order: Order, case: Case) -> None:
    """Mount another of the agent's directories in the place of one."""
    mount("/data/memory", Source=str(case.directory("skill-data")))(order, case)


def a_volume(order: Order, case: Case) -> None:
    """Mount a volume in the place of a directory."""
    volume = f"{case.declaration.project}-fault"
    mount("/data/memory", Type="volume", Source=volume, BindOptions=None)(order, case)


def another_image(order: Order, case: Case) -> None:
    """Make the container from an image that says the same and is another."""
    order["Image"] = case.other_image


def another_network(order: Order, case: Case) -> None:
    """Connect the container to the other network of the deployment."""
    networks(f"{case.declaration.project}-spare")(order, case)


def one_network_more(order: Order, case: Case) -> None:
    """Connect the container to both networks of the deployment."""
    own = case.declaration.project
    networks(f"{own}-wire", f"{own}-spare")(order, case)


SECOND = 10**9
FIELD_FAULTS: tuple[Fault, ...] = (
    altered("image", "altered", "another one behind the name", another_image),
    altered("mounts", "added", "one more than declared", one_mount_more),
    altered("mounts", "removed", "the one of projects is missing", one_mount_less),
    altered("mounts", "altered", "another source", another_source),
    dataclasses.replace(
        altered(
            "mounts",
            "altered",
            "another target",
            mount("/data/skills", Target="/data/other"),
        ),
        found=frozenset({("mounts", "missing"), ("mounts", "extra")}),
    ),
    altered(
        "mounts", "altered", "ro in place of rw", mount("/data/memory", ReadOnly=True)
    ),
    altered("mounts", "altered", "rw in place of ro", mount("/config", ReadOnly=False)),
    altered("mounts", "altered", "a volume in place of a directory", a_volume),
    altered("environment", "added", "a variable more", variable("UNDECLARED", "1")),
    altered("environment", "removed", "a variable less", variable("PLAIN", None)),
    altered("environment", "altered", "another value", variable("PLAIN", "other")),
    altered("environment", "removed", "a secret less", variable("TOKEN", None)),
    altered("environment", "altered", "another secret", variable("TOKEN", "stolen")),
    altered("user", "altered", "another one", top(User="4999:4999")),
    altered("user", "removed", "the image's own, root", top(User="")),
    altered("restart", "altered", "always", host(RestartPolicy={"Name": "always"})),
    altered("restart", "removed", "no", host(RestartPolicy={"Name": "no"})),
    altered("ports", "added", "one more", port("127.0.0.1", 0, 8081)),
    altered("ports", "removed", "none", host(PortBindings={}), PUBLISHED),
    altered("ports", "altered", "open to all", port("0.0.0.0", 0, 8080), PUBLISHED),
    altered("labels", "added", "one more", label("somebody", "else")),
    altered("labels", "removed", "the component's", label("agentkeep.component", None)),
    altered("labels", "altered", "another agent's", label("agentkeep.agent", "other")),
    altered("settings", "altered", "older ones", label("agentkeep.settings", "0" * 16)),
    altered(
        "command", "added", "an argument more", top(Cmd=["sleep", "infinity", "1"])
    ),
    altered("command", "removed", "no init process", top(Entrypoint=None)),
    altered("command", "altered", "another argument", top(Cmd=["sleep", "86400"])),
    altered("networks", "added", "one more", one_network_more),
    altered("networks", "removed", "none", networks("none")),
    altered("networks", "altered", "another one", another_network),
    altered("networks", "altered", "the host's own", networks("host")),
    altered("health", "added", "a check", top(Healthcheck={"Test": ["CMD", "true"]})),
    altered(
        "health",
        "removed",
        "no check",
        top(Healthcheck={"Test": ["NONE"]}),
        {"health": HEALTH},
    ),
    altered(
        "health",
        "altered",
        "another check",
        top(
            Healthcheck={
                "Test": ["CMD", "false"],
                "Interval": 5 * SECOND,
                "Timeout": 5 * SECOND,
                "Retries": 3,
            }
        ),
        {"health": HEALTH},
    ),
    altered(
        "health",
        "altered",
        "a longer interval",
        top(
            Healthcheck={
                "Test": ["CMD", "true"],
                "Interval": 9 * SECOND,
                "Timeout": 5 * SECOND,
                "Retries": 3,
            }
        ),
        {"health": HEALTH},
    ),
    altered(
        "read_only", "removed", "a root that can be written", host(ReadonlyRootfs=False)
    ),
    altered("capabilities", "added", "one more", host(CapAdd=["CHOWN"])),
    altered("capabilities", "removed", "none is dropped", host(CapDrop=None)),
    altered("security", "removed", "new privileges", host(SecurityOpt=None)),
    altered("security", "added", "privileged", host(Privileged=True)),
    altered("security", "altered", "the host's processes", host(PidMode="host")),
    altered(
        "security",
        "added",
        "a device",
        host(
            Devices=[
                {
                    "PathOnHost": "/dev/null",
                    "PathInContainer": "/dev/gap",
                    "CgroupPermissions": "r",
                }
            ]
        ),
    ),
    altered(
        "temporary",
        "added",
        "one more",
        host(Tmpfs={"/tmp": "size=1048576,mode=1777", "/more": ""}),
    ),
    altered("temporary", "removed", "none", host(Tmpfs={})),
    altered(
        "temporary",
        "altered",
        "more room",
        host(Tmpfs={"/tmp": "size=2097152,mode=1777"}),
    ),
    altered("limits", "removed", "any memory", host(Memory=0, MemorySwap=0)),
    altered("limits", "altered", "more processors", host(NanoCpus=2 * SECOND)),
    altered("limits", "altered", "more processes", host(PidsLimit=4096)),
    altered(
        "logging",
        "altered",
        "larger logs",
        host(
            LogConfig={
                "Type": "json-file",
                "Config": {"max-size": "1g", "max-file": "3"},
            }
        ),
    ),
    altered(
        "logging",
        "removed",
        "no limit of logs",
        host(LogConfig={"Type": "json-file", "Config": {}}),
    ),
    altered("stop_grace", "altered", "a shorter one", top(StopTimeout=1)),
    altered("init", "altered", "an init process", host(Init=True)),
    altered("working_directory", "altered", "another one", top(WorkingDir="/tmp")),
)
