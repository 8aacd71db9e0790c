# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""Stores over an open database, with a conversation that they are bound to."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import update

from agentd.clock import Clock
from agentd.database import tables
from agentd.database.conversations import add_conversation
from agentd.database.open import Database
from agentd.engine.mirror_store import Binding, BoundStore, StoreParts
from agentd.sessions.identity import SessionKey

SESSION = str(uuid.UUID(int=7))
KEY = {"project_key": "-data-memory", "session_id": SESSION}
SUB = {**KEY, "subpath": "subagents/agent-1"}


def entry(number: int, **more: Any) -> dict[str, Any]:
    """Return an entry with the uuid of that number."""
    return {"type": "user", "uuid": str(uuid.UUID(int=number)), **more}


def line(number: int, **more: Any) -> bytes:
    """Return the line of that entry."""
    return json.dumps(entry(number, **more)).encode() + b"\n"


@dataclass
class Bench:
    """A database with one conversation, and what its stores told."""

    database: Database
    host: str = "a"
    failures: list[None] = field(default_factory=list)

    async def begin(self, conversation_id: str = "conv-1") -> None:
        await self.database.do(
            lambda connection: add_conversation(
                connection, SessionKey("main", conversation_id), 1.0
            )
        )

    async def go_on_at(self, host: str | None) -> None:
        statement = update(tables.conversations).values(host=host)
        await self.database.do(lambda connection: connection.execute(statement))

    def parts(self) -> StoreParts:
        return StoreParts(
            database=self.database,
            clock=Clock(),
            host=self.host,
            failed=lambda: self.failures.append(None),
        )

    def store(self, conversation_id: str = "conv-1") -> BoundStore:
        return BoundStore(self.parts(), Binding("main", conversation_id, SESSION))
