# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""The load: conversations that are given words, and what was acknowledged of them."""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import httpx

Json = dict[str, Any]

RECALL = "Which words did I ask you to remember?"
MAX_EXECUTION_MS = 40_000
REFUSED = (409, 503)
REFUSED_PAUSE_SECONDS = 0.15
BROKEN_PAUSE_SECONDS = 0.1
LONG_TOOL_SECONDS = 8
# What the turns are, and how many of a hundred.
KINDS = {"chat": 50, "tool": 12, "long tool": 6, "leaving tool": 6, "slow": 16}
RECALLS = 10


@dataclass(frozen=True)
class Acknowledged:
    """A turn that control answered as successful and on disk."""

    word: str
    text: str
    message_id: str
    result: str


@dataclass
class Conversation:
    """What one conversation was told, and what came back."""

    number: int
    agent: str
    id: str | None = None
    session_id: str | None = None
    said: int = 0
    acknowledged: list[Acknowledged] = field(default_factory=list)
    last_success: float = 0.0
    longest_gap: float = 0.0

    @property
    def words(self) -> list[str]:
        """Return the acknowledged words in the order they were said."""
        return [one.word for one in self.acknowledged]

    def next_word(self) -> str:
        """Return a word that was never said."""
        self.said += 1
        return f"k{self.number}-{self.said}"


@dataclass
class Ledger:
    """What the whole load saw."""

    counts: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    successes: list[float] = field(default_factory=list)

    def fault(self, conversation: Conversation, what: str) -> None:
        """Note what may never happen."""
        name = conversation.id or "without an id"
        self.faults.append(f"conversation {conversation.number} ({name}): {what}")


def message_of(kind: str, word: str) -> str:
    """Return a message that asks to remember the word, of that kind."""
    remember = f"Remember the word {word}."
    if kind == "slow":
        return f"{remember} Please answer slowly for 1.5 seconds."
    commands = {
        "tool": f"echo did-{word}",
        "long tool": f"timeout {LONG_TOOL_SECONDS} tail -f /dev/null; echo did-{word}",
        # It leaves its group and its session, and outlives the tool.
        "leaving tool": (
            "setsid nohup tail -f /dev/null >/dev/null 2>&1 & "
            f"timeout 1 tail -f /dev/null; echo did-{word}"
        ),
    }
    if kind in commands:
        return f"{remember}\ntool Bash {json.dumps({'command': commands[kind]})}"
    return remember


def recalled(result: str) -> list[str]:
    """Return the words in an answer to the question for them."""
    _before, found, words = result.partition("You asked me to remember: ")
    return words.rstrip(".").split(", ") if found else []


class Talker:
    """Says messages in one conversation until it is told to stop."""

    def __init__(
        self,
        client: httpx.AsyncClient,
        conversation: Conversation,
        ledger: Ledger,
        chance: random.Random,
    ) -> None:
        self._client = client
        self._conversation = conversation
        self._ledger = ledger
        self._chance = chance

    async def talk(self, stop: asyncio.Event) -> None:
        """Say one message after the other, as an impatient person would."""
        while not stop.is_set():
            if self._chance.random() * 100 < RECALLS and self._conversation.words:
                await self.recall()
            else:
                await self._remember()
            await asyncio.sleep(self._chance.uniform(0, 0.3))

    async def until_recalled(self, deadline: float) -> bool:
        """Ask for the words until that succeeds; return whether it did in time."""
        while time.monotonic() < deadline:
            if await self.recall():
                return True
        return False

    async def recall(self) -> bool:
        """Ask for the words; return whether the turn succeeded."""
        expected = self._conversation.words
        answer = await self._say(RECALL)
        if answer is None or answer["status"] != "success":
            return False
        words = recalled(answer["result"])
        if missing := [word for word in expected if word not in words]:
            self._ledger.fault(
                self._conversation,
                f"lost {missing} of {len(expected)} acknowledged words in session"
                f" {answer['session_id']}; notice: {answer['notice']}",
            )
        return True

    async def _remember(self) -> None:
        word = self._conversation.next_word()
        kind = self._chance.choices(list(KINDS), list(KINDS.values()))[0]
        text = message_of(kind, word)
        answer = await self._say(text)
        if answer is None:
            return
        if answer["status"] == "success" and answer["persisted"]:
            self._ledger.counts["acknowledged"] += 1
            self._conversation.acknowledged.append(
                Acknowledged(word, text, answer["message_id"], answer["result"])
            )

    async def _say(self, text: str) -> Json | None:
        """Return the answer of a turn that was taken, or None."""
        conversation = self._conversation
        body: Json = {"message": text, "max_execution_ms": MAX_EXECUTION_MS}
        if conversation.id is None:
            body["agent"] = conversation.agent
        else:
            body["conversation_id"] = conversation.id
        try:
            response = await self._client.post("/chat", json=body)
        except httpx.TransportError:
            self._ledger.counts["broken off"] += 1
            await asyncio.sleep(BROKEN_PAUSE_SECONDS)
            return None
        if response.status_code != 200:
            await self._refused(response)
            return None
        return self._answered(response.json())

    async def _refused(self, response: httpx.Response) -> None:
        self._ledger.counts[f"refused with {response.status_code}"] += 1
        if response.status_code not in REFUSED:
            self._ledger.fault(
                self._conversation, f"{response.status_code} {response.text[:500]}"
            )
        await asyncio.sleep(REFUSED_PAUSE_SECONDS)

    def _answered(self, answer: Json) -> Json:
        conversation, counts = self._conversation, self._ledger.counts
        conversation.id = answer["conversation_id"]
        conversation.session_id = answer["session_id"]
        counts[answer["status"]] += 1
        if answer["status"] != "success":
            return answer
        now = time.monotonic()
        counts["unproved"] += not answer["persisted"]
        if conversation.last_success:
            gap = now - conversation.last_success
            conversation.longest_gap = max(conversation.longest_gap, gap)
        conversation.last_success = now
        self._ledger.successes.append(now)
        return answer
