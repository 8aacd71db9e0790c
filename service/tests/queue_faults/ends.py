# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""What became of the tasks: read where they are kept, beside any control."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from sqlalchemy import Engine, create_engine, text

ENDED = ("completed", "failed", "cancelled")
DONE = ("success", "recovered")
# A turn is done once: two messages of one turn are one answer told twice.
TURNS = text(
    "SELECT DISTINCT said.content, said.turn_uuid FROM messages said"
    " JOIN messages told ON told.turn_uuid = said.turn_uuid"
    " WHERE said.role = 'user' AND told.role = 'assistant'"
    " AND told.status IN ('success', 'recovered')"
)


@dataclass(frozen=True)
class Row:
    """One task as the table has it."""

    id: str
    status: str
    attempts: int
    result: str | None
    error: str | None
    waited: float | None


@dataclass
class Ends:
    """What the database tells of the tasks."""

    engine: Engine
    rows: dict[str, Row] = field(default_factory=dict)
    completions: Counter[str] = field(default_factory=Counter)

    def look(self) -> int:
        """Read all tasks; return how many have not ended."""
        with self.engine.connect() as connection:
            found = connection.execute(
                text(
                    "SELECT id, status, attempts, result, error,"
                    " finished_at - created_at AS waited FROM tasks"
                )
            ).all()
        self.rows = {row.id: Row(**row._mapping) for row in found}
        return sum(row.status not in ENDED for row in self.rows.values())

    def count(self) -> None:
        """Count how often each word was said in a turn that came to its end."""
        with self.engine.connect() as connection:
            for content, _turn in connection.execute(TURNS):
                words = content.partition("Remember the word ")[2]
                self.completions[words.partition(".")[0]] += 1

    def faults(self, accepted: dict[str, str]) -> Iterator[str]:
        """Yield what may never happen to a task that was accepted."""
        for task_id, word in accepted.items():
            row = self.rows.get(task_id)
            if row is None:
                yield f"{word}: lost"
            elif row.status not in ENDED:
                yield f"{word}: still {row.status} after {row.attempts} attempts"
            elif row.status != "completed" and not row.error:
                yield f"{word}: {row.status} without a reason"
            elif row.status == "completed" and not self.completions[word]:
                yield f"{word}: completed, and no turn of it came to an end"
            elif self.completions[word] > 1 and row.attempts < 2:
                yield f"{word}: run {self.completions[word]} times in one attempt"


def ends_of(database_url: str) -> Ends:
    """Return what looks into a database, past every control."""
    url = database_url.replace("postgresql://", "postgresql+psycopg://")
    url = url.replace("sqlite+aiosqlite:", "sqlite:")
    return Ends(create_engine(url, pool_pre_ping=True))
