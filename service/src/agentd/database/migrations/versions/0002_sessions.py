# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Issues as keys, turns by their uuid, the life of a session, outbound messages.

Columns are only added: a table that is made anew would take its children with it.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add what is new, and keep every row."""
    op.add_column("conversations", sa.Column("repository", sa.String(256)))
    op.add_column("conversations", sa.Column("issue", sa.String(64)))
    op.create_index(
        "conversations_issue",
        "conversations",
        ["repository", "issue", "agent"],
        unique=True,
    )
    op.add_column("messages", sa.Column("turn_uuid", sa.String(36)))
    op.add_column("messages", sa.Column("last_message_uuid", sa.String(36)))
    op.add_column("messages", sa.Column("persisted", sa.Boolean))
    op.add_column("sessions", sa.Column("created_at", sa.Float))
    op.add_column("sessions", sa.Column("working_directory", sa.Text))
    op.add_column("sessions", sa.Column("last_message_uuid", sa.String(36)))
    op.add_column("sessions", sa.Column("transcript_bytes", sa.BigInteger))
    op.execute("UPDATE sessions SET created_at = updated_at")
    _make_outbound_messages()
    op.create_table(
        "unproved_agents",
        sa.Column("agent", sa.String(64), primary_key=True),
        sa.Column("since", sa.Float, nullable=False),
    )


def _make_outbound_messages() -> None:
    op.create_table(
        "outbound_messages",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column(
            "conversation_id",
            sa.String(64),
            sa.ForeignKey("conversations.id", ondelete="CASCADE"),
            nullable=False,
        ),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("source", sa.String(16), nullable=False),
        sa.Column("created_at", sa.Float, nullable=False),
        sa.Column("delivered_at", sa.Float),
    )
    op.create_index(
        "outbound_messages_conversation",
        "outbound_messages",
        ["conversation_id", "delivered_at"],
    )
    op.create_index("outbound_messages_created_at", "outbound_messages", ["created_at"])
