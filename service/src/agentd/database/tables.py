# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""The tables, as this version reads and writes them."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
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

SCHEMA_REVISION = "0004"

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
    Column("repository", String(256)),
    Column("issue", String(64)),
    Column("host", String(64)),
    Column("definition", String(64)),
    Column("branch", String(200)),
    UniqueConstraint("agent", "id", name="conversations_agent_id"),
    Index("conversations_last_activity", "last_activity"),
    # Two nulls differ, so that only conversations of issues are held apart.
    Index("conversations_issue", "repository", "issue", "agent", unique=True),
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
    Column("turn_uuid", String(36)),
    Column("last_message_uuid", String(36)),
    Column("persisted", Boolean),
    UniqueConstraint("conversation_id", "position", name="messages_position"),
    Index("messages_turn_uuid", "turn_uuid"),
)

sessions = Table(
    "sessions",
    metadata,
    Column("agent", String(64), primary_key=True),
    Column("conversation_id", String(64), primary_key=True),
    Column("session_id", String(36), nullable=False),
    Column("durable", Boolean, nullable=False),
    Column("updated_at", Float, nullable=False),
    Column("created_at", Float),
    Column("working_directory", Text),
    Column("last_message_uuid", String(36)),
    Column("transcript_bytes", BigInteger),
    ForeignKeyConstraint(
        ["agent", "conversation_id"],
        ["conversations.agent", "conversations.id"],
        ondelete="CASCADE",
        name="sessions_conversation",
    ),
    UniqueConstraint("agent", "session_id", name="sessions_agent_session_id"),
)

outbound_messages = Table(
    "outbound_messages",
    metadata,
    Column("id", Integer, primary_key=True),
    Column(
        "conversation_id",
        String(64),
        ForeignKey("conversations.id", ondelete="CASCADE"),
        nullable=False,
    ),
    Column("text", Text, nullable=False),
    Column("source", String(16), nullable=False),
    Column("created_at", Float, nullable=False),
    Column("delivered_at", Float),
    Index("outbound_messages_conversation", "conversation_id", "delivered_at"),
    Index("outbound_messages_created_at", "created_at"),
)

unproved_agents = Table(
    "unproved_agents",
    metadata,
    Column("agent", String(64), primary_key=True),
    Column("since", Float, nullable=False),
)

probes = Table(
    "probes",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("at", Float, nullable=False),
)
