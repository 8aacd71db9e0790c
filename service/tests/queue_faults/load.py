# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""The load: tasks that are queued, and what was accepted of them."""

from __future__ import annotations

import asyncio
import json
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import httpx

REFUSED = 503
PAUSE_SECONDS = 0.15
# What the tasks are, and how many of a hundred.
KINDS = {"chat": 55, "slow": 30, "tool": 15}
PRIORITIES = ("high", "normal", "low")


@dataclass
class Load:
    """What was accepted: the word of each task by its id, and what else came back."""

    chance: random.Random
    most_unended: int
    accepted: dict[str, str] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    said: int = 0
    unended: int = 0

    def next_body(self) -> tuple[str, dict[str, object]]:
        """Return a word that was never said, and the task that has it."""
        self.said += 1
        word = f"q{self.said}"
        kind = self.chance.choices(list(KINDS), list(KINDS.values()))[0]
        prompt = f"Remember the word {word}."
        if kind == "slow":
            prompt += " Please answer slowly for 1 seconds."
        if kind == "tool":
            prompt += f"\ntool Bash {json.dumps({'command': f'echo did-{word}'})}"
        priority = self.chance.choice(PRIORITIES)
        return word, {"prompt": prompt, "priority": priority}

    async def queue(self, clients: Sequence[httpx.AsyncClient]) -> None:
        """Queue one task at one of the hosts; note it if it was accepted."""
        word, body = self.next_body()
        try:
            response = await self.chance.choice(clients).post("/queue", json=body)
        except httpx.TransportError:
            # Whether it was stored is not known: nobody was told that it was.
            self.counts["broken off"] += 1
            return
        if response.status_code == 202:
            self.counts["accepted"] += 1
            self.accepted[response.json()["id"]] = word
            return
        self.counts[f"refused with {response.status_code}"] += 1
        if response.status_code != REFUSED:
            self.faults.append(f"{word}: {response.status_code} {response.text[:300]}")

    async def until_accepted(self, count: int) -> None:
        """Wait until that many tasks were accepted."""
        while len(self.accepted) < count:
            await asyncio.sleep(0.05)

    async def run(
        self, clients: Sequence[httpx.AsyncClient], stop: asyncio.Event
    ) -> None:
        """Queue tasks until told to stop, while not too many wait for their end."""
        while not stop.is_set():
            if self.unended < self.most_unended:
                await self.queue(clients)
            await asyncio.sleep(self.chance.uniform(0, 2 * PAUSE_SECONDS))
