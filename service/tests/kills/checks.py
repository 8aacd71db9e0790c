# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Whether what was acknowledged is still there: messages, transcripts, database."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

import httpx

from .load import Conversation, Json

PAGE = 500


async def messages_of(client: httpx.AsyncClient, conversation_id: str) -> list[Json]:
    """Return every message of a conversation, page after page."""
    path = f"/chat/{conversation_id}/messages"
    found: list[Json] = []
    while True:
        query = {"limit": PAGE, "offset": len(found)}
        page = (await client.get(path, params=query)).json()
        found += page["messages"]
        if not page["more"]:
            return found


def lost_messages(
    conversation: Conversation, messages: Sequence[Json]
) -> Iterator[str]:
    """Yield the acknowledged turns whose message or answer is not among these."""
    said = {one["content"] for one in messages if one["role"] == "user"}
    answers = {one["id"]: one["content"] for one in messages}
    for one in conversation.acknowledged:
        if one.text not in said:
            yield f"{one.word}: its message is not stored"
        if answers.get(one.message_id) != one.result:
            yield f"{one.word}: its answer is not stored"


def unanswered(messages: Sequence[Json]) -> Iterator[str]:
    """Yield the messages after which the conversation tells no end of their turn."""
    following: list[Json] = [*messages[1:], {"role": "user"}]
    for one, after in zip(messages, following, strict=False):
        if one["role"] == "user" and after["role"] == "user":
            yield one["content"][:60]


def lost_lines(memory: Path, conversation: Conversation) -> Iterator[str]:
    """Yield the acknowledged words that are not in the session's transcript."""
    pattern = f".claude/projects/*/{conversation.session_id}.jsonl"
    paths = list(memory.glob(pattern))
    if len(paths) != 1:
        yield f"{len(paths)} transcripts of session {conversation.session_id}"
        return
    said = "\n".join(_user_texts(paths[0])).split("Remember the word ")
    words = {text.partition(".")[0] for text in said}
    for word in conversation.words:
        if word not in words:
            yield f"{word}: not in the transcript"


def _user_texts(path: Path) -> Iterator[str]:
    for line in path.read_text("utf-8", errors="replace").splitlines():
        try:
            value = json.loads(line)
        except ValueError:
            continue
        if isinstance(value, dict) and value.get("type") == "user":
            yield _text(value.get("message", {}).get("content"))


def _text(content: object) -> str:
    if isinstance(content, str):
        return content
    blocks = content if isinstance(content, list) else []
    return "\n".join(str(block.get("text", "")) for block in blocks)


def integrity(database: Path) -> str:
    """Return what the database says of itself: "ok" if it is whole."""
    with closing(sqlite3.connect(database)) as connection:
        rows = connection.execute("PRAGMA integrity_check").fetchall()
    return "; ".join(str(row[0]) for row in rows)
