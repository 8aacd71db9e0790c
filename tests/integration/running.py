# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""A deployment on this machine's engine, made by the collection's own playbooks."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from working_tree import ROOT

ANSIBLE_PLAYBOOK = Path(sys.executable).parent / "ansible-playbook"
ENVIRONMENT = {
    "ANSIBLE_COLLECTIONS_PATH": str(ROOT / "collections"),
    "ANSIBLE_HOME": str(ROOT / ".ansible"),
    "ANSIBLE_DISPLAY_SKIPPED_HOSTS": "false",
    "ANSIBLE_NOCOLOR": "1",
    "ANSIBLE_PIPELINING": "1",
    "LC_ALL": "C.UTF-8",
}
HOST = {
    "ansible_connection": "local",
    "ansible_python_interpreter": "/usr/bin/python3",
}


@dataclass(frozen=True)
class Outcome:
    """How a run of a playbook ended."""

    status: int
    output: str

    @property
    def text(self) -> str:
        """Return the output as one line, quotes as they were written."""
        return re.sub(r"\s+", " ", self.output.replace("\\n", " ").replace('\\"', '"'))

    @property
    def changed(self) -> int:
        """Return how many tasks changed something."""
        return sum(int(count) for count in re.findall(r"changed=(\d+)", self.output))


def play(
    playbook: str,
    *arguments: str,
    variables: Mapping[str, Any],
    environment: Mapping[str, str] | None = None,
) -> Outcome:
    """Run a playbook of the collection against this machine."""
    inventory = {"agentkeep": {"hosts": {"this-machine": HOST}, "vars": variables}}
    path = Path(os.environ["AGENTKEEP_TEST_INVENTORY"])
    path.write_text(json.dumps(inventory), encoding="utf-8")
    finished = subprocess.run(
        [
            str(ANSIBLE_PLAYBOOK),
            f"--inventory={path}",
            f"agentkeep.agents.{playbook}",
            *arguments,
        ],
        cwd=ROOT,
        env={**os.environ, **ENVIRONMENT, **(environment or {})},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return Outcome(finished.returncode, finished.stdout)


def docker(*arguments: str) -> str:
    """Return what the engine's command line prints; raise if it fails."""
    finished = subprocess.run(
        ["docker", *arguments], check=True, capture_output=True, text=True
    )
    return finished.stdout.strip()


def free_port() -> int:
    """Return a port of loopback on which nothing listens."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@dataclass(frozen=True)
class Deployment:
    """One deployment with its own name, port and data root."""

    name: str
    data_root: Path
    port: int
    variables: Mapping[str, Any] = field(default_factory=dict)

    @property
    def directory(self) -> Path:
        """Return where its state lies."""
        return self.data_root / self.name

    @property
    def token(self) -> str:
        """Return the API token that the role generated."""
        return (self.directory / "shared/settings/api_token").read_text()

    def settings(self, **more: Any) -> dict[str, Any]:
        """Return the role's variables, with some replaced."""
        own = {
            "deployment_name": self.name,
            "deployment_data_root": str(self.data_root),
            "deployment_port": self.port,
        }
        return {**own, **self.variables, **more}

    def deploy(self, *arguments: str, **more: Any) -> Outcome:
        """Run the playbook deploy, on the engine and image that are there."""
        return play(
            "deploy",
            "--tags=deployment",
            *arguments,
            variables=self.settings(**more),
        )

    def remove(self) -> Outcome:
        """Run the playbook remove."""
        return play("remove", variables=self.settings())

    def container(self, component: str, agent: str = "") -> dict[str, Any]:
        """Return what the engine says of one container."""
        part = f"{component}-{agent}" if agent else component
        found = json.loads(docker("inspect", f"agentkeep-{self.name}-{part}"))
        return dict(found[0])

    def containers(self) -> dict[str, str]:
        """Return the id of each container by its name, stopped ones included."""
        lines = docker(
            *("ps", "--all", "--no-trunc", "--format={{.Names}} {{.ID}}"),
            f"--filter=label=agentkeep.deployment={self.name}",
        )
        return dict(line.split() for line in lines.splitlines())

    def ask(self, method: str, path: str, body: object = None) -> Any:
        """Return the API's answer; raise HTTPError for any but a good one."""
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={
                "Authorization": f"Bearer {self.token}",
                "Content-Type": "application/json",
            },
        )
        with urllib.request.urlopen(request, timeout=180) as answer:
            return json.loads(answer.read() or "null")

    def say(self, message: str, **more: str) -> dict[str, Any]:
        """Return the answer to one message of a conversation."""
        answer = dict(self.ask("POST", "/chat", {"message": message, **more}))
        assert answer["status"] == "success", answer
        return answer

    def wait_until_connected(self) -> None:
        """Return when every agent is connected; raise TimeoutError in the end."""
        end = time.monotonic() + 60
        while time.monotonic() < end:
            try:
                if all(agent["ok"] for agent in self.ask("GET", "/agents")):
                    return
            except (OSError, urllib.error.URLError):
                pass
            time.sleep(0.2)
        raise TimeoutError(f"agents of {self.name} are not connected after 60 s")

    def transcript(self, agent: str, session_id: str) -> Path:
        """Return the one file that holds a session."""
        memory = self.directory / "agents" / agent / "memory"
        (path,) = (memory / ".claude/projects").glob(f"*/{session_id}.jsonl")
        return path

    def destroy(self) -> None:
        """Remove its containers, networks and state."""
        for kind, listing in (("rm", ("ps", "--all")), ("network", ("network", "ls"))):
            found = docker(
                *listing, "--quiet", f"--filter=label=agentkeep.deployment={self.name}"
            ).split()
            remove = ("rm", "--force") if kind == "rm" else ("network", "rm")
            if found:
                docker(*remove, *found)
        shutil.rmtree(self.data_root, ignore_errors=True)
