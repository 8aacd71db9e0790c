# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Work directories, webhooks, clean-ups, sweeps, usage over time, what was recorded.

Columns are only added: a table that is made anew would take its children with it.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

Number = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Add what is new, and keep every row."""
    op.add_column("conversations", sa.Column("branch", sa.String(200)))
    op.add_column("tasks", sa.Column("repository", sa.String(256)))
    op.add_column("tasks", sa.Column("issue", sa.String(64)))
    op.add_column("tasks", sa.Column("branch", sa.String(200)))
    op.add_column("tasks", sa.Column("prompt_if_resumed", sa.Text))
    op.create_index("tasks_issue", "tasks", ["repository", "issue"])
    _make_webhook_events()
    _make_cleanups()
    _make_sweeps()
    _make_figures()


def _number() -> sa.Column[int]:
    return sa.Column("number", Number, primary_key=True, autoincrement=True)


def _make_webhook_events() -> None:
    op.create_table(
        "webhook_events",
        _number(),
        sa.Column("source", sa.String(16), nullable=False),
        sa.Column("delivery", sa.String(128), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False, unique=True),
        sa.Column("event", sa.String(64), nullable=False),
        sa.Column("action", sa.String(64)),
        sa.Column("repository", sa.String(256)),
        sa.Column("issue", sa.String(64)),
        sa.Column("branch", sa.String(200)),
        sa.Column("received_at", sa.Float, nullable=False),
        sa.Column("outcome", sa.String(16), nullable=False),
        sa.Column("detail", sa.Text),
        sa.Column("task_id", sa.String(64)),
    )
    op.create_index("webhook_events_received_at", "webhook_events", ["received_at"])
    op.create_index("webhook_events_delivery", "webhook_events", ["source", "delivery"])
    op.create_index("webhook_events_outcome", "webhook_events", ["outcome"])


def _make_cleanups() -> None:
    op.create_table(
        "cleanups",
        _number(),
        sa.Column("repository", sa.String(256), nullable=False),
        sa.Column("issue", sa.String(64)),
        sa.Column("branch", sa.String(200)),
        sa.Column("agent", sa.String(64)),
        sa.Column("asked_at", sa.Float, nullable=False),
        sa.Column("next_at", sa.Float, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("error", sa.Text),
        sa.Column("hosts", sa.Text),
    )
    op.create_index("cleanups_next_at", "cleanups", ["next_at"])


def _make_sweeps() -> None:
    op.create_table(
        "sweeps",
        _number(),
        sa.Column("started_at", sa.Float, nullable=False),
        sa.Column("finished_at", sa.Float),
        sa.Column("host", sa.String(64), nullable=False),
        sa.Column("asked_by", sa.String(16), nullable=False),
        sa.Column("dry_run", sa.Boolean, nullable=False),
        sa.Column("counts", sa.Text),
        sa.Column("problems", sa.Text),
    )
    op.create_index("sweeps_started_at", "sweeps", ["started_at"])


def _make_figures() -> None:
    op.create_table(
        "usage_samples",
        sa.Column("at", sa.Float, primary_key=True),
        sa.Column("host", sa.String(64), primary_key=True, server_default="main"),
        sa.Column("agent", sa.String(64), primary_key=True),
        sa.Column("area", sa.String(64), primary_key=True),
        sa.Column("bytes", sa.BigInteger, nullable=False),
        sa.Column("files", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "records",
        sa.Column("kind", sa.String(16), primary_key=True),
        sa.Column("at", sa.Float, nullable=False),
        sa.Column("succeeded", sa.Boolean, nullable=False),
        sa.Column("detail", sa.Text),
        sa.Column("succeeded_at", sa.Float),
    )
