# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""The tables of schedules, tasks and hosts, as this version reads and writes them."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
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

# SQLite counts up by itself only in a column that is called an INTEGER.
Number = BigInteger().with_variant(Integer, "sqlite")

hosts = Table(
    "hosts",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("instance", String(36), nullable=False),
    Column("started_at", Float, nullable=False),
    Column("seen_at", Float, nullable=False),
    Column("agents", Text, nullable=False),
)

schedules = Table(
    "scheduled_tasks",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("agent", String(64), nullable=False),
    Column(
        "conversation_id",
        String(64),
        ForeignKey("conversations.id", ondelete="CASCADE"),
    ),
    Column("prompt", Text, nullable=False),
    Column("schedule_type", String(16), nullable=False),
    Column("schedule_value", String(256), nullable=False),
    Column("time_zone", String(64), nullable=False),
    Column("context_mode", String(16), nullable=False),
    Column("priority", String(16), nullable=False),
    Column("definition", String(64)),
    Column("model", String(128)),
    Column("status", String(16), nullable=False),
    Column("next_run", Float),
    Column("last_run", Float),
    Column("last_result", Text),
    Column("created_at", Float, nullable=False),
    Index("scheduled_tasks_next_run", "status", "next_run"),
)

# ``number`` is the order in which tasks were accepted; ``rank`` that of their priority,
# the lowest first. ``worker`` is the instance of the host that took it.
tasks = Table(
    "tasks",
    metadata,
    Column("number", Number, primary_key=True, autoincrement=True),
    Column("id", String(64), nullable=False, unique=True),
    Column("agent", String(64), nullable=False),
    Column(
        "schedule_id",
        String(64),
        ForeignKey("scheduled_tasks.id", ondelete="CASCADE"),
    ),
    Column(
        "conversation_id",
        String(64),
        ForeignKey("conversations.id", ondelete="CASCADE"),
    ),
    Column("prompt", Text, nullable=False),
    Column("priority", String(16), nullable=False),
    Column("rank", Integer, nullable=False),
    Column("definition", String(64)),
    Column("model", String(128)),
    Column("repository", String(256)),
    Column("issue", String(64)),
    Column("branch", String(200)),
    Column("prompt_if_resumed", Text),
    Column("timeout_seconds", Float),
    Column("status", String(16), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("created_at", Float, nullable=False),
    Column("available_at", Float, nullable=False),
    Column("published_at", Float),
    Column("started_at", Float),
    Column("finished_at", Float),
    Column("host", String(64)),
    Column("worker", String(36)),
    Column("turn_uuid", String(36)),
    Column("cancel_requested", Boolean, nullable=False),
    Column("result", Text),
    Column("error", Text),
    Column("cost_usd", Float),
    Column("duration_ms", Integer),
    # Small, whatever the number of tasks that ended: the migration makes them of rows
    # with that status only. To say so here too would load the dialect of PostgreSQL.
    Index(
        "tasks_queued",
        "agent",
        "rank",
        "number",
    ),
    Index(
        "tasks_running",
        # SQLite looks into an index of a part only for a column that it is given.
        "status",
        "host",
    ),
    Index("tasks_schedule", "schedule_id", "number"),
    Index("tasks_conversation", "conversation_id"),
    Index("tasks_finished_at", "finished_at"),
    Index("tasks_issue", "repository", "issue"),
)

task_logs = Table(
    "task_logs",
    metadata,
    Column("id", Number, primary_key=True, autoincrement=True),
    Column(
        "task_id",
        String(64),
        ForeignKey("tasks.id", ondelete="CASCADE"),
        nullable=False,
    ),
    Column("at", Float, nullable=False),
    Column("event", String(64), nullable=False),
    Column("detail", Text),
    Index("task_logs_task", "task_id", "id"),
)

dead_items = Table(
    "dead_items",
    metadata,
    Column("id", Number, primary_key=True, autoincrement=True),
    Column("at", Float, nullable=False),
    Column("source", String(256), nullable=False),
    Column("item", Text, nullable=False),
    Column("reason", Text, nullable=False),
)
