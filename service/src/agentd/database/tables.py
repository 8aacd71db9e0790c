# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""The tables, as this version reads and writes them."""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    Column,
    Float,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

SCHEMA_REVISION = "0001"

metadata = MetaData()

conversations = Table(
    "conversations",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("agent", String(64), nullable=False),
    Column("status", String(16), nullable=False),
    Column("created_at", Float, nullable=False),
    Column("last_activity", Float, nullable=False),
    Column("message_count", Integer, nullable=False),
    UniqueConstraint("agent", "id", name="conversations_agent_id"),
    Index("conversations_last_activity", "last_activity"),
)

messages = Table(
    "messages",
    metadata,
    Column("id", String(64), primary_key=True),
    Column(
        "conversation_id",
        String(64),
        ForeignKey("conversations.id", ondelete="CASCADE"),
        nullable=False,
    ),
    Column("position", Integer, nullable=False),
    Column("role", String(16), nullable=False),
    Column("sender", String(256)),
    Column("sender_name", String(256)),
    Column("content", Text, nullable=False),
    Column("status", String(16), nullable=False),
    Column("created_at", Float, nullable=False),
    UniqueConstraint("conversation_id", "position", name="messages_position"),
)

sessions = Table(
    "sessions",
    metadata,
    Column("agent", String(64), primary_key=True),
    Column("conversation_id", String(64), primary_key=True),
    Column("session_id", String(36), nullable=False),
    Column("durable", Boolean, nullable=False),
    Column("updated_at", Float, nullable=False),
    ForeignKeyConstraint(
        ["agent", "conversation_id"],
        ["conversations.agent", "conversations.id"],
        ondelete="CASCADE",
        name="sessions_conversation",
    ),
    UniqueConstraint("agent", "session_id", name="sessions_agent_session_id"),
)

probes = Table(
    "probes",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("at", Float, nullable=False),
)
