# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""A forge on the host, and deployed agents that work on its issues."""

from __future__ import annotations

import json
import os
import re
import secrets
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from running import Deployment, docker, free_port

from forge.deliveries import delivery
from forge.ssh import SshServer, new_ssh_server
from forge.stand_in import Forge, new_forge, remove

HERE = Path(__file__).parent
WEBHOOK_SECRET = f"hook-{secrets.token_hex(16)}"
BRANCH = "agentkeep/issue-7"
PROMPT = "Remember the word mango.\ntool Bash " + json.dumps(
    {"command": "python3 /data/memory/git_from_inside.py"}
)
SETTINGS: dict[str, Any] = {
    "secret": WEBHOOK_SECRET,
    "user": "agentkeep",
    "forge": "work",
    "agent": "main",
    "rules": [
        {
            "events": ["issues.opened", "issue_comment.created"],
            "addressed": False,
            "prompt": PROMPT,
            "prompt_if_resumed": "Which words did I ask you to remember?",
        }
    ],
}


@dataclass(frozen=True)
class Worked:
    """A deployment, its forge, and what came of the first webhook."""

    deployment: Deployment
    forge: Forge
    canaries: dict[str, str]
    task: dict[str, Any]
    report: dict[str, Any]

    def deliver(self, name: str) -> dict[str, Any]:
        """Send a webhook as the forge does; return the answer."""
        sent = delivery("forgejo", name, secret=WEBHOOK_SECRET)
        address = f"http://127.0.0.1:{self.deployment.port}/webhooks/forgejo"
        request = urllib.request.Request(address, sent.body, sent.headers)
        with urllib.request.urlopen(request, timeout=30) as answer:
            return dict(json.loads(answer.read()))

    def finished(self, task_id: str) -> dict[str, Any]:
        """Return a task when it has ended well."""
        end = time.monotonic() + 120
        while time.monotonic() < end:
            task = dict(self.deployment.ask("GET", f"/queue/{task_id}"))
            if task["status"] in {"completed", "failed", "cancelled"}:
                assert task["status"] == "completed", task
                return task
            time.sleep(0.1)
        raise TimeoutError(f"task {task_id} has not ended after 120 s")

    @property
    def trees(self) -> list[str]:
        """Return the worktrees that are there."""
        agent = self.deployment.directory / "agents/main"
        place = agent / "workdirs/work/worktrees"
        return [path.name for path in place.iterdir() if path.is_dir()]

    def left(self) -> tuple[list[str], list[str]]:
        """Return the worktrees, and the issues whose conversations have a session."""
        found = self.deployment.ask("GET", "/sessions")["sessions"]
        return self.trees, [one["issue"] for one in found if one["issue"] == "7"]


def give_to_agent(path: Path, content: str) -> None:
    """Write a file that belongs to whom its directory belongs."""
    owner = path.parent.stat()
    path.write_text(content)
    os.chown(path, owner.st_uid, owner.st_gid)


def bridge() -> str:
    """Return the address at which containers reach this machine."""
    return docker(
        *("network", "inspect", "bridge"),
        "--format={{range .IPAM.Config}}{{.Gateway}}{{end}}",
    )


@pytest.fixture(scope="module")
def forge() -> Iterator[Forge]:
    """A forge that containers reach, with three repositories."""
    found = new_forge(bridge())
    try:
        for name in ("team/shop", "team/slow", "other/secret"):
            found.new_repository(name)
        found.set_issue("team/shop", 7, "open")
        found.break_with({"path": "team/slow", "delay_seconds": 2})
        yield found
    finally:
        remove(found)


@pytest.fixture(scope="module")
def keyed(forge: Forge) -> Iterator[SshServer]:
    """The same repositories over SSH."""
    server = new_ssh_server(forge.repositories, bridge())
    try:
        yield server
    finally:
        server.stop()


def declared(forge: Forge, keyed: SshServer) -> list[dict[str, Any]]:
    """Return the forge as it is declared, over HTTP and over SSH."""
    ssh = {
        "host": forge.host,
        "port": keyed.port,
        "key": keyed.key_file.read_text(),
        "known_hosts": keyed.known_hosts_file.read_text(),
    }
    common = {"url": forge.url, "repositories": ["team/*"]}
    return [
        {"name": "work", "token": forge.token, **common},
        {"name": "keyed", "ssh": ssh, **common},
    ]


@pytest.fixture(scope="module")
def worked(
    tmp_path_factory: pytest.TempPathFactory, forge: Forge, keyed: SshServer
) -> Iterator[Worked]:
    """What a deployed agent did when an issue was opened."""
    one = Deployment(
        name="forged",
        data_root=tmp_path_factory.mktemp("forged"),
        port=free_port(),
        variables={
            "deployment_agents": [
                {"name": "main", "uid": 20101, "git_name": "Main", "git_email": "m@x.y"}
            ],
            "deployment_drain_seconds": 5,
            "deployment_forges": declared(forge, keyed),
            "deployment_webhooks": [{"name": "forgejo", "settings": SETTINGS}],
        },
    )
    try:
        outcome = one.deploy()
        assert outcome.status == 0, outcome.output
        assert forge.token not in outcome.output
        assert WEBHOOK_SECRET not in outcome.output
        yield first_work(one, forge)
    finally:
        one.destroy()


def first_work(deployment: Deployment, forge: Forge) -> Worked:
    """Have the agent work on an issue, and search its container meanwhile."""
    memory = deployment.directory / "agents/main/memory"
    canaries = {
        "own file": f"own-{secrets.token_hex(12)}",
        "token": forge.token,
        "secret": WEBHOOK_SECRET,
    }
    task = {
        "reversed": [one[::-1] for one in canaries.values()],
        "not_ours": "work/other/secret.git",
        "slow": "work/team/slow.git",
    }
    give_to_agent(memory / "own.txt", canaries["own file"])
    give_to_agent(memory / "git_task.json", json.dumps(task))
    for name in ("git_from_inside.py", "search_from_inside.py"):
        give_to_agent(memory / name, (HERE / name).read_text())
    begun = Worked(deployment, forge, canaries, {}, {})
    done = begun.finished(begun.deliver("issues.opened")["task_id"])
    match = re.search(r"REPORT(.*)END", done["result"], re.DOTALL)
    assert match, done
    return Worked(deployment, forge, canaries, done, json.loads(match[1]))


def test_an_opened_issue_has_the_agent_work_on_its_branch_and_push(
    worked: Worked,
) -> None:
    """H01, H03, H10: over the gateway, as the agent that it is."""
    report = worked.report

    assert report["directory"].startswith("/data/workdirs/work/worktrees/")
    assert {"README.md", "note.txt"} <= {*report["files"]}
    assert [report[step]["status"] for step in ("add", "commit", "push")] == [0, 0, 0]
    assert worked.forge.show("team/shop", BRANCH, "note.txt") == "An agent was here.\n"
    agent = worked.deployment.directory / "agents/main/workdirs"
    assert {path.lstat().st_uid for path in agent.rglob("*")} == {20101}


def test_no_token_is_in_the_container_of_an_agent_that_clones_and_pushes(
    worked: Worked,
) -> None:
    """J14: not in environments, files or command lines, also while git asks."""
    search, asking = worked.report["search"], worked.report["asking"]
    names = list(worked.canaries)

    found = {names[number] for hits in search["hits"].values() for number in hits}
    assert found == {"own file"}
    assert search["environment"] == []
    assert (asking["status"], asking["seen"], asking["hits"]) == (0, True, [])
    seen = worked.deployment.container("agent", "main")
    assert worked.forge.token not in json.dumps(seen)
    assert worked.report["remote"].startswith("http://127.0.0.1:8081/git/work/team/")


def test_a_repository_that_is_not_allowed_is_refused_by_the_gateway(
    worked: Worked,
) -> None:
    assert worked.report["elsewhere"]["status"] != 0
    assert worked.forge.requests("other/secret") == []


def test_a_forge_behind_ssh_is_reached_with_the_key_of_the_gateway(
    worked: Worked, keyed: SshServer
) -> None:
    """Though the gateway runs under a uid that its container knows no name of."""
    asked = len(worked.forge.requests())
    command = "echo x >x && git add x && git commit -qm X && git push -q origin HEAD"

    said = worked.deployment.say(
        f"tool Bash {json.dumps({'command': command})}",
        repository="keyed:team/shop",
        issue="8",
        branch="over-ssh",
    )

    assert worked.forge.show("team/shop", "over-ssh", "x") == "x\n", said
    assert len(worked.forge.requests()) == asked
    key = keyed.key_file.read_text().splitlines()[1]
    agents = worked.deployment.directory / "agents"
    files = (path for path in agents.rglob("*") if path.is_file())
    assert [path for path in files if key.encode() in path.read_bytes()] == []


def test_the_next_webhook_goes_on_after_the_containers_were_destroyed(
    worked: Worked,
) -> None:
    """G15: the same conversation in the same worktree, with the short prompt."""
    before = worked.trees
    assert worked.deployment.remove().status == 0
    assert worked.deployment.containers() == {}
    outcome = worked.deployment.deploy()
    assert outcome.status == 0, outcome.output

    task = worked.finished(worked.deliver("issue_comment.created")["task_id"])

    assert "mango" in task["result"]
    assert task["conversation_id"] == worked.task["conversation_id"]
    assert worked.trees == before


def test_a_closed_issue_leaves_no_worktree_and_no_session(worked: Worked) -> None:
    """H09; its branch stays at the forge, with what was pushed."""
    assert worked.left() != ([], [])

    worked.deliver("issues.closed")

    end = time.monotonic() + 60
    while worked.left() != ([], []) and time.monotonic() < end:
        time.sleep(0.1)
    assert worked.left() == ([], [])
    assert worked.forge.head("team/shop", BRANCH) is not None
