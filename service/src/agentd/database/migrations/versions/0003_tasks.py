# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Schedules, tasks and hosts; transcripts that are kept here too; definitions.

Columns are only added: a table that is made anew would take its children with it.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

Number = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Add what is new, and keep every row."""
    op.add_column("conversations", sa.Column("host", sa.String(64)))
    op.add_column("conversations", sa.Column("definition", sa.String(64)))
    op.create_index("messages_turn_uuid", "messages", ["turn_uuid"])
    op.create_table(
        "hosts",
        sa.Column("name", sa.String(64), primary_key=True),
        sa.Column("instance", sa.String(36), nullable=False),
        sa.Column("started_at", sa.Float, nullable=False),
        sa.Column("seen_at", sa.Float, nullable=False),
        sa.Column("agents", sa.Text, nullable=False),
    )
    _make_schedules()
    _make_tasks()
    _index_tasks()
    _make_lists()
    _make_transcript_entries()


def _conversation() -> sa.Column[str]:
    return sa.Column(
        "conversation_id",
        sa.String(64),
        sa.ForeignKey("conversations.id", ondelete="CASCADE"),
    )


def _make_schedules() -> None:
    op.create_table(
        "scheduled_tasks",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("agent", sa.String(64), nullable=False),
        _conversation(),
        sa.Column("prompt", sa.Text, nullable=False),
        sa.Column("schedule_type", sa.String(16), nullable=False),
        sa.Column("schedule_value", sa.String(256), nullable=False),
        sa.Column("time_zone", sa.String(64), nullable=False),
        sa.Column("context_mode", sa.String(16), nullable=False),
        sa.Column("priority", sa.String(16), nullable=False),
        sa.Column("definition", sa.String(64)),
        sa.Column("model", sa.String(128)),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("next_run", sa.Float),
        sa.Column("last_run", sa.Float),
        sa.Column("last_result", sa.Text),
        sa.Column("created_at", sa.Float, nullable=False),
    )
    op.create_index(
        "scheduled_tasks_next_run", "scheduled_tasks", ["status", "next_run"]
    )


def _make_tasks() -> None:
    op.create_table(
        "tasks",
        sa.Column("number", Number, primary_key=True, autoincrement=True),
        sa.Column("id", sa.String(64), nullable=False, unique=True),
        sa.Column("agent", sa.String(64), nullable=False),
        sa.Column(
            "schedule_id",
            sa.String(64),
            sa.ForeignKey("scheduled_tasks.id", ondelete="CASCADE"),
        ),
        _conversation(),
        sa.Column("prompt", sa.Text, nullable=False),
        sa.Column("priority", sa.String(16), nullable=False),
        sa.Column("rank", sa.Integer, nullable=False),
        sa.Column("definition", sa.String(64)),
        sa.Column("model", sa.String(128)),
        sa.Column("timeout_seconds", sa.Float),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("created_at", sa.Float, nullable=False),
        sa.Column("available_at", sa.Float, nullable=False),
        sa.Column("published_at", sa.Float),
        sa.Column("started_at", sa.Float),
        sa.Column("finished_at", sa.Float),
        sa.Column("host", sa.String(64)),
        sa.Column("worker", sa.String(36)),
        sa.Column("turn_uuid", sa.String(36)),
        sa.Column("cancel_requested", sa.Boolean, nullable=False),
        sa.Column("result", sa.Text),
        sa.Column("error", sa.Text),
        sa.Column("cost_usd", sa.Float),
        sa.Column("duration_ms", sa.Integer),
    )


def _index_tasks() -> None:
    for name, status, columns in (
        ("tasks_queued", "queued", ["agent", "rank", "number"]),
        ("tasks_running", "running", ["status", "host"]),
    ):
        where = sa.text(f"status = '{status}'")
        op.create_index(
            name, "tasks", columns, sqlite_where=where, postgresql_where=where
        )
    op.create_index("tasks_schedule", "tasks", ["schedule_id", "number"])
    op.create_index("tasks_conversation", "tasks", ["conversation_id"])
    op.create_index("tasks_finished_at", "tasks", ["finished_at"])


def _make_lists() -> None:
    op.create_table(
        "task_logs",
        sa.Column("id", Number, primary_key=True, autoincrement=True),
        sa.Column(
            "task_id",
            sa.String(64),
            sa.ForeignKey("tasks.id", ondelete="CASCADE"),
            nullable=False,
        ),
        sa.Column("at", sa.Float, nullable=False),
        sa.Column("event", sa.String(64), nullable=False),
        sa.Column("detail", sa.Text),
    )
    op.create_index("task_logs_task", "task_logs", ["task_id", "id"])
    op.create_table(
        "dead_items",
        sa.Column("id", Number, primary_key=True, autoincrement=True),
        sa.Column("at", sa.Float, nullable=False),
        sa.Column("source", sa.String(256), nullable=False),
        sa.Column("item", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
    )


def _make_transcript_entries() -> None:
    op.create_table(
        "transcript_entries",
        sa.Column("id", Number, primary_key=True, autoincrement=True),
        sa.Column("agent", sa.String(64), nullable=False),
        sa.Column("project_key", sa.String(256), nullable=False),
        sa.Column("session_id", sa.String(64), nullable=False),
        _conversation(),
        sa.Column("subpath", sa.String(512), nullable=False),
        sa.Column("uuid", sa.String(64)),
        sa.Column("entry", sa.Text, nullable=False),
        sa.Column("size", sa.Integer, nullable=False),
        sa.Column("stored_at", sa.Float, nullable=False),
    )
    op.create_index(
        "transcript_entries_session",
        "transcript_entries",
        ["agent", "session_id", "project_key", "subpath", "id"],
    )
    op.create_index(
        "transcript_entries_conversation", "transcript_entries", ["conversation_id"]
    )
    op.create_index(
        "transcript_entries_uuid",
        "transcript_entries",
        ["agent", "session_id", "project_key", "subpath", "uuid"],
        unique=True,
    )
