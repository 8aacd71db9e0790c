# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""A conversation with some messages, stored in a database of the test's own."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection

from agentd.database.conversations import (
    IDLE,
    Message,
    add_conversation,
    add_message,
)
from agentd.database.open import Database
from agentd.sessions.identity import (
    SessionKey,
)

KEY = SessionKey("main", "conv-1")


def url(directory: Path) -> str:
    return f"sqlite+aiosqlite:///{directory}/agentd.db"


def message(number: int) -> Message:
    return Message(
        id=f"msg-{number}",
        conversation_id="conv-1",
        role="user",
        content=f"text {number}",
        status="said",
        created_at=float(number),
        turn_uuid=f"uuid-{number}",
    )


async def stored(database: Database, *numbers: int, status: str = IDLE) -> None:
    def store(connection: Connection) -> None:
        add_conversation(connection, KEY, 1.0)
        for number in numbers:
            add_message(connection, message(number), status)

    await database.do(store)
