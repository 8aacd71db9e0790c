# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""The modules run directly, on containers that do nothing but stay there."""

from __future__ import annotations

import copy
import json
import os
import shutil
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from running import ANSIBLE_PLAYBOOK, ENVIRONMENT, HOST, docker
from working_tree import ROOT

IMAGE = "agentkeep/base:trixie"
# A process that ends at once when it is asked to.
STAYS = {"entrypoint": ["/usr/bin/tini", "--"], "command": ["sleep", "infinity"]}
ACTIONS = ("created", "started", "recreated", "removed", "unchanged")
Options = dict[str, Any]


class ModuleFailed(Exception):
    """A module refused; the message is its own."""


@dataclass(frozen=True)
class Result:
    """What one run of the modules said, by module."""

    said: dict[str, Any]

    def of(self, module: str) -> dict[str, Any]:
        """Return the value that a module returned under its own name."""
        return dict(self.said[module][module])

    @property
    def changed(self) -> bool:
        """Return whether any module changed something, or would."""
        return any(one["changed"] for one in self.said.values())

    @property
    def actions(self) -> dict[str, list[str]]:
        """Return the services by what was done, or would be, with them."""
        found = self.of("deployment")
        return {name: found[name] for name in ACTIONS if found[name]}

    def container(self, service: str, module: str = "deployment") -> dict[str, Any]:
        """Return what is said of one container."""
        (found,) = [
            one for one in self.of(module)["containers"] if one["service"] == service
        ]
        return dict(found)

    def reasons(self, service: str, module: str = "deployment") -> set[tuple[str, str]]:
        """Return field and kind of every way in which a container differs."""
        return {
            (one["field"], one["kind"])
            for one in self.container(service, module)["reasons"]
        }


@dataclass(frozen=True)
class Declaration:
    """A deployment as the options of the modules."""

    name: str
    data_root: Path
    inventory: list[Options]
    agents: list[Options]
    services: dict[str, Options] = field(default_factory=dict)
    components: dict[str, Options] = field(default_factory=dict)
    shared: Options = field(default_factory=dict)
    containers: Options = field(default_factory=dict)

    @property
    def project(self) -> str:
        """Return what the names of its containers begin with."""
        return f"agentkeep-{self.name}"

    @property
    def directory(self) -> Path:
        """Return where its state lies."""
        return self.data_root / self.name

    def options(self, module: str) -> Options:
        """Return the options of one module."""
        given = {
            "data_root": str(self.data_root),
            "deployment": self.name,
            "inventory": self.inventory,
            "agents": self.agents,
            "components": self.components,
            **self.shared,
        }
        if module.startswith("deployment"):
            given |= {"services": self.services, **self.containers}
        return copy.deepcopy(given)

    def run(
        self,
        *modules: str,
        check: bool = False,
        layout: Options | None = None,
        **more: Any,
    ) -> Result:
        """Run the modules in one play; raise ModuleFailed with what one refused."""
        chosen = modules or ("state_layout", "deployment")
        own = {"state_layout": layout or {}, "deployment": more}
        tasks = [
            {f"agentkeep.agents.{one}": {**self.options(one), **own.get(one, {})}}
            for one in chosen
        ]
        said = play_tasks(tasks, self.data_root.parent, check=check)
        for one in said:
            if one.get("failed"):
                raise ModuleFailed(one["msg"])
        return Result(dict(zip(chosen, said, strict=True)))

    def check(self) -> Result:
        """Return what a run would find and do."""
        return self.run(check=True)

    def containers_there(self) -> dict[str, str]:
        """Return the ids of its containers by name, stopped ones included."""
        listing = ("ps", "--all", "--no-trunc", "--format={{.Names}} {{.ID}}")
        lines = docker(*listing, f"--filter=name=^{self.project}-").splitlines()
        return dict(line.split() for line in lines)

    def destroy(self) -> None:
        """Remove its containers, networks, volumes, images and state."""
        mine = f"--filter=label=agentkeep.deployment={self.name}"
        discard(docker("ps", "--all", "--quiet", mine), "rm", "--force", "--volumes")
        discard("\n".join(self.containers_there()), "rm", "--force", "--volumes")
        discard(docker("network", "ls", "--quiet", mine), "network", "rm")
        own = f"--filter=name=^{self.project}-"
        discard(docker("volume", "ls", "--quiet", own), "volume", "rm")
        tags = docker(
            *("images", "--format={{.Repository}}:{{.Tag}}"),
            f"--filter=reference=agentkeep-release/{self.name}",
        )
        discard(tags, "rmi")
        shutil.rmtree(self.directory, ignore_errors=True)


def discard(found: str, *command: str) -> None:
    """Run a command of the engine on everything that was found."""
    if found:
        docker(*command, *found.split())


def play_tasks(
    tasks: Iterable[Options], directory: Path, *, check: bool
) -> list[dict[str, Any]]:
    """Run tasks on this machine and return what each of them said."""
    answers = directory / "answers.json"
    answers.unlink(missing_ok=True)
    steps = [
        {**task, "name": "Ask", "register": f"answer_{number}", "ignore_errors": True}
        for number, task in enumerate(tasks)
    ]
    told = ", ".join(step["register"] for step in steps)
    writes = {
        "name": "Tell",
        "ansible.builtin.copy": {
            "content": f"{{{{ [{told}] | to_json }}}}",
            "dest": str(answers),
            "mode": "0600",
        },
        "check_mode": False,
    }
    play = {"hosts": "all", "gather_facts": False, "tasks": [*steps, writes]}
    playbook = directory / "playbook.json"
    playbook.write_text(json.dumps([play]), encoding="utf-8")
    inventory = directory / "hosts.json"
    inventory.write_text(json.dumps({"all": {"hosts": {"here": HOST}}}))
    finished = subprocess.run(
        [
            *(str(ANSIBLE_PLAYBOOK), f"--inventory={inventory}"),
            *(["--check"] if check else []),
            str(playbook),
        ],
        cwd=ROOT,
        env={**os.environ, **ENVIRONMENT},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert answers.exists(), finished.stdout
    return list(json.loads(answers.read_text(encoding="utf-8")))
