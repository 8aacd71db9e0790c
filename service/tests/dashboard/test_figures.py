# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""What several hosts measured, together."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, create_engine, insert

from agentd.database.dashboard_figures import Span, last_usage, usage_over
from agentd.database.dashboard_lists import Page, shown_sweeps
from agentd.database.usage import add_samples
from agentd.database.work_tables import sweeps, usage_samples

EVERY = 600.0


def measured(connection: Connection) -> None:
    """Keep two samples of one host, and one of another in between."""
    usage_samples.create(connection)
    add_samples(
        connection,
        [
            (1000.0, "one", "main", "trees", 5, 1),
            (1000.0, "one", "", "database", 90, 1),
            (1300.0, "two", "main", "trees", 70, 2),
            (1300.0, "two", "", "database", 91, 1),
            (1600.0, "one", "main", "trees", 6, 1),
            (1600.0, "one", "", "database", 92, 1),
        ],
    )


def test_each_host_counts_once_and_their_database_once_for_all(tmp_path: Path) -> None:
    """I17: an agent has its state on the disk of every host that it ran on."""
    with create_engine(f"sqlite:///{tmp_path}/one.db").begin() as connection:
        measured(connection)
        now = last_usage(connection, EVERY)
        mine = last_usage(connection, EVERY, "main")
        then = usage_over(connection, Span(0.0, 1400.0, 1, EVERY))

    assert now is not None
    assert now.amounts == {("main", "trees"): (76, 3), ("", "database"): (92, 1)}
    assert mine is not None
    assert mine.amounts == {("main", "trees"): (76, 3)}
    assert [one.amounts["main", "trees"] for one in then] == [(75, 3)]


def test_what_only_told_what_it_would_remove_is_not_the_last_sweep(
    tmp_path: Path,
) -> None:
    with create_engine(f"sqlite:///{tmp_path}/one.db").begin() as connection:
        sweeps.create(connection)
        row = {"started_at": 1.0, "host": "one", "asked_by": "request"}
        for dry_run in (False, True):
            connection.execute(insert(sweeps).values(**row, dry_run=dry_run))
        every = shown_sweeps(connection, Page())
        real = shown_sweeps(connection, Page(limit=1), dry_runs=False)

    assert [one.dry_run for one in every] == [True, False]
    assert [one.dry_run for one in real] == [False]
