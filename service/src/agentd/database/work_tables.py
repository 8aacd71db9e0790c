# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""The tables of webhooks, clean-ups, sweeps, usage and what playbooks told."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    Index,
    Integer,
    String,
    Table,
    Text,
)

from agentd.database.tables import metadata
from agentd.database.task_tables import Number

# ``digest`` is of the whole body: the id of a delivery is not signed by its sender.
webhook_events = Table(
    "webhook_events",
    metadata,
    Column("number", Number, primary_key=True, autoincrement=True),
    Column("source", String(16), nullable=False),
    Column("delivery", String(128), nullable=False),
    Column("digest", String(64), nullable=False, unique=True),
    Column("event", String(64), nullable=False),
    Column("action", String(64)),
    Column("repository", String(256)),
    Column("issue", String(64)),
    Column("branch", String(200)),
    Column("received_at", Float, nullable=False),
    Column("outcome", String(16), nullable=False),
    Column("detail", Text),
    Column("task_id", String(64)),
    Index("webhook_events_received_at", "received_at"),
    Index("webhook_events_delivery", "source", "delivery"),
    Index("webhook_events_outcome", "outcome"),
)

# What is to be removed as soon as nobody uses it; without an agent that of all.
# ``hosts`` is JSON: those that did it already.
cleanups = Table(
    "cleanups",
    metadata,
    Column("number", Number, primary_key=True, autoincrement=True),
    Column("repository", String(256), nullable=False),
    Column("issue", String(64)),
    Column("branch", String(200)),
    Column("agent", String(64)),
    Column("asked_at", Float, nullable=False),
    Column("next_at", Float, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("error", Text),
    Column("hosts", Text),
    Index("cleanups_next_at", "next_at"),
)

# ``counts`` and ``problems`` are JSON.
sweeps = Table(
    "sweeps",
    metadata,
    Column("number", Number, primary_key=True, autoincrement=True),
    Column("started_at", Float, nullable=False),
    Column("finished_at", Float),
    Column("host", String(64), nullable=False),
    Column("asked_by", String(16), nullable=False),
    Column("dry_run", Boolean, nullable=False),
    Column("counts", Text),
    Column("problems", Text),
    Index("sweeps_started_at", "started_at"),
)

# ``agent`` is empty for what belongs to the deployment; each host has its own disk.
usage_samples = Table(
    "usage_samples",
    metadata,
    Column("at", Float, primary_key=True),
    Column("host", String(64), primary_key=True, server_default="main"),
    Column("agent", String(64), primary_key=True),
    Column("area", String(64), primary_key=True),
    Column("bytes", BigInteger, nullable=False),
    Column("files", BigInteger, nullable=False),
)

# The last backup, drill and whatever else a playbook tells; ``detail`` is JSON.
# ``succeeded_at`` is when the last one ended that went well.
records = Table(
    "records",
    metadata,
    Column("kind", String(16), primary_key=True),
    Column("at", Float, nullable=False),
    Column("succeeded", Boolean, nullable=False),
    Column("detail", Text),
    Column("succeeded_at", Float),
)
