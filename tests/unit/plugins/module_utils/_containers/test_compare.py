# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Every difference is found, masked where it must be, and nothing else is one."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import pytest
from ansible_collections.agentkeep.agents.plugins.module_utils._containers import (
    compare,
    container,
)

Container = container.Container
differences = compare.differences
MADE = ["made_by_compose", "made_by_docker"]


@pytest.mark.parametrize("name", MADE)
def test_a_clean_container_has_no_difference(
    name: str, one: Container, seen: Any, record: Any
) -> None:
    """K03, B18: nothing that the engine fills in is drift, however it was made."""
    assert differences(one, seen(record(name))) == ()


def test_a_container_that_never_ran_only_has_to_start(
    one: Container, seen: Any, record: Any
) -> None:
    """K02: stopped and right is started, not made anew."""
    (found,) = differences(one, seen(record("made_by_compose_not_started")))

    assert (found.field, found.old, found.heal) == ("state", "created", compare.START)


def test_a_lazy_container_may_be_stopped(
    one: Container, seen: Any, record: Any
) -> None:
    """K11: one that is not to be started is right as it is."""
    lazy = replace(one, start=False)

    assert differences(lazy, seen(record("made_by_compose_not_started"))) == ()


@dataclass(frozen=True)
class Change:
    """Hold a change to what the engine says, and the difference that it must be."""

    field: str
    change: Callable[[Any], object]
    subject: str = ""
    kind: str = "changed"


def host(key: str, value: Any) -> Callable[[Any], object]:
    """Return a change of one key of the host's configuration."""
    return lambda found: found["HostConfig"].update({key: value})


def config(key: str, value: Any) -> Callable[[Any], object]:
    """Return a change of one key of the container's configuration."""
    return lambda found: found["Config"].update({key: value})


def env(line: str, without: str = "") -> Callable[[Any], object]:
    """Return a change of the environment."""

    def change(found: Any) -> None:
        lines = [one for one in found["Config"]["Env"] if one != without]
        found["Config"]["Env"] = [*lines, line] if line else lines

    return change


def label(name: str, value: str | None) -> Callable[[Any], object]:
    """Return a change of a label."""

    def change(found: Any) -> None:
        if value is None:
            del found["Config"]["Labels"][name]
        else:
            found["Config"]["Labels"][name] = value

    return change


def mounted(target: str, **values: Any) -> Callable[[Any], object]:
    """Return a change of a mount; without values it is gone."""

    def change(found: Any) -> None:
        others = [one for one in found["Mounts"] if one["Destination"] != target]
        (own,) = [one for one in found["Mounts"] if one["Destination"] == target]
        found["Mounts"] = [*others, {**own, **values}] if values else others
        if not values:
            mounts = found["HostConfig"]["Mounts"] or []
            found["HostConfig"]["Mounts"] = [m for m in mounts if m["Target"] != target]

    return change


def more_mounts(found: Any) -> None:
    """Add a mount that nobody declared."""
    found["Mounts"].append(
        {"Type": "bind", "Source": "/etc", "Destination": "/x", "RW": True}
    )


def more_binds(found: Any) -> None:
    """Add a mount that only the host's configuration knows."""
    found["HostConfig"]["Binds"] = ["/etc:/x:ro,z"]


def another_network(found: Any) -> None:
    """Put the container into one network more."""
    found["NetworkSettings"]["Networks"]["bridge"] = {}


def one_network_less(found: Any) -> None:
    """Take the container out of a network."""
    del found["NetworkSettings"]["Networks"]["agentkeep-demo-back"]


def health(key: str, value: Any) -> Callable[[Any], object]:
    """Return a change of the health check."""
    return lambda found: found["Config"]["Healthcheck"].update({key: value})


PROJECTS = "/data/config/projects"
CHANGES = [
    Change("image", lambda found: found.update({"Image": "sha256:0"})),
    Change("mounts", mounted(PROJECTS), PROJECTS, "missing"),  # K04
    Change("mounts", mounted(PROJECTS, Source="/other"), PROJECTS),
    Change("mounts", mounted(PROJECTS, RW=False), PROJECTS),
    Change("mounts", mounted(PROJECTS, Type="volume", Name="x"), PROJECTS),
    Change("mounts", mounted("/data/config", RW=True), "/data/config"),
    Change("mounts", mounted("/data/queue", Name="other"), "/data/queue"),
    Change("mounts", more_mounts, "/x", "extra"),
    Change("mounts", more_binds, "/x", "extra"),
    Change("environment", env("PLAIN=b", "PLAIN=a $b"), "PLAIN"),
    Change("environment", env("", "EMPTY="), "EMPTY", "missing"),
    Change("environment", env("API_TOKEN=b", "API_TOKEN=canary"), "API_TOKEN"),
    Change("environment", env("", "API_TOKEN=canary"), "API_TOKEN", "missing"),
    Change("environment", env("SESSIONS_DIR=/x"), "SESSIONS_DIR", "extra"),
    Change("command", config("Cmd", ["sleep", "601"])),
    Change("command", config("Entrypoint", ["sh"])),
    Change("user", config("User", "0:0")),
    Change("user", config("User", "")),
    Change("working_directory", config("WorkingDir", "/")),
    Change("stop_grace", config("StopTimeout", None)),
    Change("restart", host("RestartPolicy", {"Name": "always"})),
    Change("restart", host("RestartPolicy", {"Name": "on-failure"})),
    Change("init", host("Init", None)),
    Change("labels", label("agentkeep.id", "x"), "agentkeep.id"),
    Change("labels", label("agentkeep.agent", None), "agentkeep.agent", "missing"),
    Change("labels", label("traefik.enable", "true"), "traefik.enable", "extra"),
    Change("settings", label("agentkeep.settings", "x"), "agentkeep.settings"),
    Change("networks", another_network),
    Change("networks", one_network_less),
    Change("networks", host("NetworkMode", "container:x")),
    Change("networks", host("NetworkMode", "host")),
    Change("ports", host("PortBindings", {})),
    Change(
        "ports",
        host("PortBindings", {"8080/tcp": [{"HostIp": "", "HostPort": "18798"}]}),
    ),
    Change("ports", host("PublishAllPorts", True)),
    Change("health", config("Healthcheck", None)),
    Change("health", health("Test", ["CMD", "true"])),
    Change("health", health("Test", ["NONE"])),
    Change("health", health("Interval", 8_000_000_000)),
    Change("health", health("Timeout", 0)),
    Change("health", health("Retries", 4)),
    Change("health", health("StartPeriod", 0)),
    Change("read_only", host("ReadonlyRootfs", False)),
    Change("capabilities", host("CapAdd", None)),
    Change("capabilities", host("CapAdd", ["CAP_CHOWN", "CAP_SYS_ADMIN"])),
    Change("capabilities", host("CapDrop", None)),
    Change("security", host("SecurityOpt", None), "no_new_privileges"),
    Change("security", host("Privileged", True), "privileged"),
    Change(
        "security",
        host("SecurityOpt", ["no-new-privileges", "seccomp=unconfined"]),
        "options",
    ),
    Change("security", host("PidMode", "host"), "namespaces"),
    Change("security", host("UsernsMode", "host"), "namespaces"),
    Change("security", host("Devices", [{"PathOnHost": "/dev/sda"}]), "devices"),
    Change("security", host("GroupAdd", ["docker"]), "groups"),
    Change("security", host("MaskedPaths", []), "unmasked"),
    Change("temporary", host("Tmpfs", {}), "/tmp"),
    Change("temporary", host("Tmpfs", {"/tmp": "mode=1777,size=1000000"}), "/tmp"),
    Change("limits", host("Memory", 0), "memory_bytes"),
    Change("limits", host("NanoCpus", 0), "cpus"),
    Change("limits", host("PidsLimit", None), "max_tasks"),
    Change("logging", host("LogConfig", {"Type": "none"}), "driver"),
    Change(
        "logging",
        host(
            "LogConfig",
            {"Type": "json-file", "Config": {"max-size": "10m", "max-file": "4"}},
        ),
        "log_files",
    ),
    Change("state", lambda found: found["State"].update({"Status": "exited"})),
    Change("state", lambda found: found["State"].update({"Status": "paused"})),
]


@pytest.mark.parametrize("name", MADE)
@pytest.mark.parametrize("one_change", CHANGES, ids=lambda one: one.field)
def test_every_single_change_is_found(
    one_change: Change, name: str, one: Container, seen: Any, record: Any
) -> None:
    """K03: each is a difference of its field, and of no other."""
    found = copy.deepcopy(record(name))
    one_change.change(found)

    differing = differences(one, seen(found))

    assert {fault.field for fault in differing} == {one_change.field}
    if one_change.subject:
        assert one_change.subject in {fault.subject for fault in differing}
    assert one_change.kind in {fault.kind for fault in differing}


NO_CHANGES: list[Callable[[Any], object]] = [
    env("PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"),
    env("HTTP_PROXY=http://proxy"),
    env("no_proxy=localhost"),
    label("com.docker.compose.config-hash", "x"),
    label("desktop.docker.io/binds", "x"),
    mounted("/data/memory", Mode="z", Propagation="rslave"),  # B19
    host("MemorySwap", -1),
    host("NanoCpus", 699_999_988),
    host("SecurityOpt", ["no-new-privileges=true"]),
    host("CapAdd", ["CHOWN"]),
    host("IpcMode", "shareable"),
    host("Tmpfs", {"/tmp": "rw,exec,size=1000000"}),
    host(
        "LogConfig",
        {"Type": "json-file", "Config": {"max-size": "10m", "max-file": "3"}},
    ),
    health("Test", ["CMD-SHELL", "test -d /data/memory"]),
    lambda found: found["State"].update({"Status": "restarting"}),
]


@pytest.mark.parametrize("change", NO_CHANGES)
def test_what_the_engine_may_write_another_way_is_no_difference(
    change: Callable[[Any], object], one: Container, seen: Any, record: Any
) -> None:
    """K03: no false alarm."""
    found = copy.deepcopy(record("made_by_docker"))
    change(found)

    assert differences(one, seen(found)) == ()


def test_what_the_image_gives_is_no_difference(
    one: Container, seen: Any, record: Any
) -> None:
    """K03: variables, labels, health check and volumes of the image are ignored."""
    found = record("made_by_docker")
    found["Config"]["Env"].append("LANG=C")
    found["Config"]["Labels"]["vendor"] = "x"
    found["Config"]["Healthcheck"] = {"Test": ["CMD-SHELL", "true"]}
    found["Mounts"].append(
        {"Type": "volume", "Name": "a" * 64, "Destination": "/anon", "RW": True}
    )
    image = {
        "Env": ["LANG=C"],
        "Labels": {"vendor": "x", **record("image")["Config"]["Labels"]},
        "Healthcheck": {"Test": ["CMD-SHELL", "true"]},
        "Volumes": {"/anon": {}},
    }

    observed = type(seen(found)).from_inspect(found, image)

    assert differences(replace(one, health=None), observed) == ()


def test_another_value_than_the_images_is_a_difference(
    one: Container, seen: Any, record: Any
) -> None:
    found = record("made_by_docker")
    found["Config"]["Env"].append("LANG=de")

    observed = type(seen(found)).from_inspect(found, {"Env": ["LANG=C"]})

    assert "LANG" in {fault.subject for fault in differences(one, observed)}
