# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""What is done at random: work given out, issues closed, sweeps, and kills."""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import httpx
from conftest import Stack
from control.service import ControlProcess
from forge.deliveries import delivery
from forge.stand_in import Forge

from agentd.agent.command import MARKER, marker
from agentd.agent.settings import load_agent_settings
from agentd.spawner.processes import kill_marked
from agentd.workdirs.names import issue_branch

REPOSITORY = "team/shop"
REFUSED = {409, 503}
ANSWER_SECONDS = 30.0
PAUSE_SECONDS = 0.4
# How many of a hundred are which.
KINDS = {
    "work": 62,
    "close": 8,
    "reopen": 8,
    "reset": 7,
    "sweep": 4,
    "kill control": 4,
    "kill agent": 5,
    "kill gateway": 2,
}
COMMIT = "git add -A && git commit -q -m {word}"
# What an agent leaves behind: a file, a commit, a push, or a tree on another branch.
ENDS = (
    "true",
    COMMIT,
    COMMIT + " && git push -q origin HEAD",
    "git checkout -q -b aside-{word}",
)


@dataclass
class Actions:
    """Does what is drawn, and notes what was accepted."""

    chance: random.Random
    stack: Stack
    control: ControlProcess
    forge: Forge
    settings: dict[str, dict[str, object]]
    issues: int
    accepted: dict[str, tuple[str, str]] = field(default_factory=dict)
    """The agent and the word of each task by its id."""
    done: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    said: int = 0

    async def run(self, stop: asyncio.Event) -> None:
        """Act until told to stop."""
        kinds: dict[str, Callable[[], Awaitable[None]]] = {
            "work": self.work,
            "close": self.close,
            "reopen": self.reopen,
            "reset": self.reset,
            "sweep": self.sweep,
            "kill control": self.kill_control,
            "kill agent": self.kill_agent,
            "kill gateway": self.kill_gateway,
        }
        while not stop.is_set():
            kind = self.chance.choices(list(KINDS), list(KINDS.values()))[0]
            await kinds[kind]()
            await asyncio.sleep(self.chance.uniform(0, 2 * PAUSE_SECONDS))

    async def work(self) -> None:
        """Queue work on an issue's branch for one of the agents."""
        self.said += 1
        word, agent = f"q{self.said}", self.chance.choice(self.stack.agents)
        end = self.chance.choice(ENDS).format(word=word)
        command = f"echo {word} > {word}.txt && ({end})"
        issue = self.issue()
        body = {
            "agent": agent,
            "prompt": f"Go on.\ntool Bash {json.dumps({'command': command})}",
            "repository": REPOSITORY,
            "issue": issue,
            "branch": issue_branch(issue),
        }
        answer = await self.ask("work", "POST", "/queue", body)
        if answer is not None and answer.status_code == 202:
            self.accepted[answer.json()["id"]] = (agent, word)

    async def close(self) -> None:
        """Close an issue, of which its forge tells."""
        await self.tell("closed")

    async def reopen(self) -> None:
        """Open an issue again."""
        await self.tell("reopened")

    async def tell(self, action: str) -> None:
        """Have the forge send a webhook of an issue, sometimes twice."""
        issue = self.issue()
        state = "closed" if action == "closed" else "open"
        self.forge.set_issue(REPOSITORY, issue, state)
        sent = delivery("forgejo", f"issues.{action}", number=int(issue))
        for _time in range(self.chance.choice((1, 1, 2))):
            await self.ask(
                f"issue {action}",
                "POST",
                "/webhooks/forgejo",
                content=sent.body,
                headers=sent.headers,
            )

    async def reset(self) -> None:
        """Drop an agent's worktree and session of an issue."""
        agent = self.chance.choice(self.stack.agents)
        body = {"agent": agent, "repo": REPOSITORY, "issue": self.issue()}
        await self.ask("reset", "POST", "/reset", body)

    async def sweep(self) -> None:
        """Sweep now."""
        await self.ask("sweep", "POST", "/sweep", {})

    async def kill_control(self) -> None:
        """End control as a power cut would, and start it again."""
        self.done["control killed"] += 1
        process = self.control.process
        assert process is not None
        process.kill()
        await asyncio.to_thread(process.wait)
        self.control.launch()
        await self.until_it_answers()

    async def kill_agent(self) -> None:
        """End an agent's side with all that it runs, as its container's end does."""
        self.done["agent killed"] += 1
        name = self.chance.choice(self.stack.agents)
        side = self.stack.sides[name]
        beside = descendants(side.pid)
        side.kill()
        await asyncio.to_thread(side.wait)
        for pid in beside:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        mark = marker(load_agent_settings(self.stack.directory / f"{name}.json"))
        kill_marked({MARKER: mark})
        self.stack.start_side(name, **self.settings[name])

    async def kill_gateway(self) -> None:
        """End the gateway, and start it again."""
        self.done["gateway killed"] += 1
        gateway = self.stack.gateway
        assert gateway is not None
        gateway.kill()
        await asyncio.to_thread(gateway.wait)
        await asyncio.to_thread(
            lambda: self.stack.start_gateway(**self.settings["gateway"])
        )

    async def until_it_answers(self) -> None:
        """Wait until control takes requests."""
        for _time in range(int(ANSWER_SECONDS / 0.1)):
            try:
                async with self.client() as client:
                    if (await client.get("/health")).status_code == 200:
                        return
            except httpx.TransportError:
                pass
            await asyncio.sleep(0.1)
        self.faults.append("control did not answer again")

    async def ask(
        self,
        kind: str,
        method: str,
        path: str,
        body: object = None,
        **more: object,
    ) -> httpx.Response | None:
        """Send a request; note what came back that should not have."""
        given = more if body is None else {"json": body}
        try:
            async with self.client() as client:
                answer = await client.request(method, path, **given)  # type: ignore[arg-type]
        except httpx.TransportError:
            self.done[f"{kind}: broken off"] += 1
            return None
        good = answer.status_code < 300
        self.done[kind if good else f"{kind}: {answer.status_code}"] += 1
        if not good and answer.status_code not in REFUSED:
            self.faults.append(f"{kind}: {answer.status_code} {answer.text[:300]}")
        return answer

    def client(self) -> httpx.AsyncClient:
        """Return a client of its own for one request."""
        return httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{self.control.port}",
            headers={"Authorization": f"Bearer {self.control.token}"},
            timeout=ANSWER_SECONDS * 4,
            trust_env=False,
        )

    def issue(self) -> str:
        """Return the number of one of the issues."""
        return str(self.chance.randint(1, self.issues))


def descendants(pid: int) -> list[int]:
    """Return the processes that a process started, and that those started."""
    try:
        told = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    except OSError:
        return []
    own = [int(one) for one in told.split()]
    return [*own, *(below for one in own for below in descendants(one))]
