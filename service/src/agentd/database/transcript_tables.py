# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""The table of transcripts that are kept in the database too."""

from __future__ import annotations

from sqlalchemy import (
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
)

from agentd.database.tables import metadata
from agentd.database.task_tables import Number

transcript_entries = Table(
    "transcript_entries",
    metadata,
    Column("id", Number, primary_key=True, autoincrement=True),
    Column("agent", String(64), nullable=False),
    Column("project_key", String(256), nullable=False),
    Column("session_id", String(64), nullable=False),
    # All of its sessions go with a conversation, also those that it left.
    Column(
        "conversation_id",
        String(64),
        ForeignKey("conversations.id", ondelete="CASCADE"),
    ),
    # Empty for the session's own transcript, else the path of a sub-agent's.
    Column("subpath", String(512), nullable=False),
    Column("uuid", String(64)),
    Column("entry", Text, nullable=False),
    # In bytes with the row, so that nobody has to read entries to know what they take.
    Column("size", Integer, nullable=False),
    Column("stored_at", Float, nullable=False),
    Index(
        "transcript_entries_session",
        "agent",
        "session_id",
        "project_key",
        "subpath",
        "id",
    ),
    Index("transcript_entries_conversation", "conversation_id"),
    # Two nulls differ: an entry without a uuid is stored as often as it is given.
    Index(
        "transcript_entries_uuid",
        "agent",
        "session_id",
        "project_key",
        "subpath",
        "uuid",
        unique=True,
    ),
)
