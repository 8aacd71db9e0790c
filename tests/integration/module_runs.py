# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Modules run against this machine's engine, each in a process of its own."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from running import docker
from working_tree import ROOT

Params = dict[str, Any]
BASE = "agentkeep/base:trixie"
PROGRAM = """
from ansible_collections.agentkeep.agents.plugins.modules.{module} import main
main()
"""
AGENT_UID = 21501
CONTROL_UID = 21401
SLEEP: Params = {
    "image": BASE,
    "command": ["sleep", "infinity"],
    "init": True,
    "stop_grace_seconds": 2,
}

FILES: list[Params] = [
    {"entry": "settings", "name": "settings.json", "content": '{"a": 1}'},
    {
        "entry": "settings",
        "name": "api_token",
        "policy": "generate",
        "owner": "control",
        "mode": "0600",
    },
    {"entry": "memory", "name": "CLAUDE.md", "content": "persona", "policy": "keep"},
]


@dataclass(frozen=True)
class Run:
    """How a module ended."""

    status: int
    result: Params
    output: str

    @property
    def failed(self) -> bool:
        """Return whether it failed, or was killed."""
        return bool(self.status or self.result.get("failed"))

    @property
    def message(self) -> str:
        """Return what it said."""
        return str(self.result.get("msg", ""))

    def lists(self) -> Params:
        """Return the short names by action."""
        found = self.result["deployment"]
        names = ("created", "started", "recreated", "removed", "unchanged", "drained")
        return {name: found[name] for name in names}

    def reasons(self, service: str) -> list[str]:
        """Return the fields in which a container differed."""
        (one,) = (
            one
            for one in self.result["deployment"]["containers"]
            if one["service"] == service
        )
        return [reason["field"] for reason in one["reasons"]]


def begin(
    module: str, options: Params, *, check: bool = False
) -> subprocess.Popen[str]:
    """Start a module and give it its options."""
    flags = {"_ansible_check_mode": check, "_ansible_diff": True}
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM.format(module=module)],
        env={**os.environ, "PYTHONPATH": str(ROOT / "collections")},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdin is not None
    process.stdin.write(json.dumps({"ANSIBLE_MODULE_ARGS": {**options, **flags}}))
    process.stdin.close()
    process.stdin = None
    return process


def ended(process: subprocess.Popen[str]) -> Run:
    """Return how a module ended."""
    output, _none = process.communicate()
    try:
        result = json.loads(output)
    except ValueError:
        result = {"failed": True, "msg": output}
    return Run(process.returncode, result, output)


def entry(name: str, component: str, target: str, **more: Any) -> Params:
    """Return an entry of an inventory that one component mounts read-write."""
    agent = component == "agent"
    access = more.pop("access", "rw")
    return {
        "name": name,
        "scope": "agent" if agent else "deployment",
        "source": name,
        "owner": component,
        "mode": "0750",
        "mounts": [{"component": component, "target": target, "access": access}],
        "kind": "workspace",
        "backup": "files",
        **more,
    }


def inventory() -> list[Params]:
    """Return a small inventory: memory, settings and a database."""
    settings = {"owner": "root", "group": "control", "access": "ro", "kind": "config"}
    return [
        entry("memory", "agent", "/data/memory", directories=[".claude/projects"]),
        entry("settings", "control", "/etc/agentd", **settings),
        entry("database", "control", "/data/database", backup="sqlite"),
    ]


@dataclass(frozen=True)
class Small:
    """A deployment of small containers, whose options a test may replace."""

    data_root: Path
    name: str = field(default_factory=lambda: f"small-{secrets.token_hex(3)}")
    options: Params = field(default_factory=dict)

    @property
    def root(self) -> Path:
        """Return its directory."""
        return self.data_root / self.name

    def params(self, **more: Any) -> Params:
        """Return the options of the module deployment."""
        agent = {**SLEEP, "networks": [], "needs": ["control"], "stop_order": 10}
        control = {**SLEEP, "networks": ["control"]}
        return {
            "data_root": str(self.data_root),
            "deployment": self.name,
            "inventory": inventory(),
            "agents": [{"name": "main", "uid": AGENT_UID}],
            "components": {"control": {"uid": CONTROL_UID}},
            "services": {"agent": agent, "control": control},
            "health_wait_seconds": 20,
            "lock_wait_seconds": 20,
            **self.options,
            **more,
        }

    def service(self, component: str, **more: Any) -> Params:
        """Return the services with some of one component's keys replaced."""
        services = self.params()["services"]
        return {**services, component: {**services[component], **more}}

    def lay_out(self, **more: Any) -> None:
        """Lay out its directories."""
        keys = ("data_root", "deployment", "inventory", "agents", "components")
        options = self.params(**more)
        run = ended(begin("state_layout", {key: options[key] for key in keys}))
        assert not run.failed, run.output

    def deploy(self, *, check: bool = False, **more: Any) -> Run:
        """Run the module deployment."""
        return ended(begin("deployment", self.params(**more), check=check))

    def information(self, **more: Any) -> Run:
        """Run the module deployment_info."""
        options = self.params(**more)
        options = {k: v for k, v in options.items() if "_wait_" not in k}
        return ended(begin("deployment_info", options))

    def inspect(self, service: str) -> Params:
        """Return what the engine says of one container."""
        name = f"agentkeep-{self.name}-{service}"
        return dict(json.loads(docker("inspect", name))[0])

    def listed(self) -> dict[str, str]:
        """Return the ids and states of its containers by name."""
        lines = docker(
            *("ps", "--all", "--no-trunc", "--format={{.Names}} {{.ID}} {{.State}}"),
            f"--filter=label=agentkeep.deployment={self.name}",
        ).splitlines()
        return {line.split()[0]: " ".join(line.split()[1:]) for line in lines}

    def within(self, service: str, *command: str) -> str:
        """Return what a command prints in one container."""
        return docker("exec", f"agentkeep-{self.name}-{service}", *command)

    def killed_at(self, *steps: str, **more: Any) -> bool:
        """Deploy and kill the module at one of the steps of its journal."""
        process = begin("deployment", self.params(**more))
        marks = [f'"step": "{step}"' for step in steps]
        journal = self.root / "journal.json"

        def is_there() -> bool:
            text = text_of(journal)
            return process.poll() is not None or any(mark in text for mark in marks)

        reached = wait_until(is_there)
        alive = process.poll() is None
        process.kill()
        process.communicate()
        return reached and alive

    def destroy(self) -> None:
        """Remove everything of it."""
        label = f"label=agentkeep.deployment={self.name}"
        kinds = (
            (("ps", "--all", "--quiet"), ("rm", "--force", "--volumes")),
            (("network", "ls", "--quiet"), ("network", "rm")),
            (("volume", "ls", "--quiet"), ("volume", "rm")),
        )
        for listing, removal in kinds:
            found = docker(*listing, f"--filter={label}").split()
            if found:
                docker(*removal, *found)
        tags = docker("images", "--format={{.Repository}}:{{.Tag}}").split()
        own = [one for one in tags if one.startswith(f"agentkeep-release/{self.name}:")]
        if own:
            docker("rmi", *own)
        shutil.rmtree(self.data_root, ignore_errors=True)


def text_of(path: Path) -> str:
    """Return what a file holds, nothing if it is not there."""
    try:
        return path.read_text(encoding="utf-8")
    except OSError:
        return ""


def wait_until(holds: Callable[[], bool], seconds: float = 60) -> bool:
    """Return whether something holds before the time is over."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if holds():
            return True
        time.sleep(0.002)
    return False
