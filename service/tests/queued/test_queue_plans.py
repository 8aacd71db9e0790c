# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""What a claim looks at does not grow with the tasks that ended."""

from __future__ import annotations

import pytest
from sqlalchemy import Connection, event, text

from agentd.database.open import Database, open_database
from agentd.database.task_runs import (
    Wanted,
    Worker,
    claim_next,
    running_tasks,
    waiting_agents,
)
from agentd.database.tasks import count_queued
from agentd.database.writer import Transaction

ENDED = 3000
FILL = text(
    "INSERT INTO tasks (id, agent, prompt, priority, rank, status, attempts,"
    " created_at, available_at, finished_at, cancel_requested)"
    " VALUES (:id, 'main', 'x', 'normal', 1, 'completed', 1, 1, 1, 2, :no)"
)


async def _plans(database: Database) -> list[str]:
    """Return how the database would run each look at the tasks that wait or run."""

    def deed(connection: Transaction) -> list[str]:
        connection.execute(FILL, [{"id": str(n), "no": False} for n in range(ENDED)])
        if database.kind == "postgresql":
            connection.execute(text("ANALYZE tasks"))
        words = "EXPLAIN QUERY PLAN" if database.kind == "sqlite" else "EXPLAIN"
        said: list[tuple[str, object]] = []

        def note(_c: object, _cursor: object, statement: str, *rest: object) -> None:
            if statement.lstrip().startswith("SELECT"):
                said.append((statement, rest[0]))

        event.listen(connection, "before_cursor_execute", note)
        agents = [f"agent{number}" for number in range(9)]
        claim_next(connection, Worker("h", "i"), Wanted("main", 2, 5.0), 9.0)
        waiting_agents(connection, agents, 9.0, 5.0)
        running_tasks(connection, ["main"])
        count_queued(connection, 10)
        event.remove(connection, "before_cursor_execute", note)
        return [_plan(connection, f"{words} {one}", how) for one, how in said]

    return await database.do(deed)


def _plan(connection: Connection, statement: str, parameters: object) -> str:
    rows = connection.exec_driver_sql(statement, parameters)  # type: ignore[arg-type]
    return "\n".join(str(row) for row in rows)


@pytest.mark.parametrize("index", ["tasks_queued", "tasks_running"])
async def test_what_waits_and_what_runs_is_found_by_an_index_of_its_own(
    database_url: str, index: str
) -> None:
    async with open_database(database_url) as database:
        claim, waiting, running, count = await _plans(database)

    if index == "tasks_running":
        assert "tasks_running" in running
    else:
        for plan in (claim, waiting, count):
            assert "tasks_queued" in plan
            assert "SCAN tasks\n" not in plan and "Seq Scan on tasks" not in plan
