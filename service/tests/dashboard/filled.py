# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""A deployment in which much went on, as rows of its database."""

from __future__ import annotations

import json
import random
import uuid
from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection, Table, insert

from agentd.database.records import Record, put_record
from agentd.database.tables import conversations, messages, sessions
from agentd.database.task_tables import tasks
from agentd.database.work_tables import sweeps, usage_samples, webhook_events

Rows = list[dict[str, Any]]
AGENTS = ("main", "mail", "review")
REPOSITORIES = ("shop/web", "shop/api", "tools/build")
AREAS = {
    "memory": 40,
    "transcripts": 260,
    "skill_data": 90,
    "caches": 520,
    "trees": 380,
}
MIB = 1024 * 1024
# What everything of others may hold: it is shown, and nothing more.
HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>\u202etxt"
PROMPTS = (
    "Issue 17: the cart forgets its content after a sign-in. Find out why and fix it.",
    "Look through the letters of last night and answer those that need no decision.",
    "Review the pull request; look at the migrations first.",
    "Bring the dependencies up to date and run the tests.",
)


class Filling:
    """Makes rows that are the same for the same time."""

    def __init__(self, now: float) -> None:
        self.now = now
        self._chance = random.Random(7)

    def fill(self, connection: Connection) -> None:
        """Put everything in."""
        held = self._conversations()
        for table, rows in (
            (conversations, [one for one, _session in held]),
            (sessions, [session for _one, session in held if session]),
            (messages, self._messages([one for one, _session in held])),
            (tasks, self._tasks()),
            (webhook_events, self._events()),
            (sweeps, self._sweeps()),
            (usage_samples, list(self._samples())),
        ):
            _put(connection, table, rows)
        for record in self._records():
            put_record(connection, record)

    def _id(self) -> str:
        return str(uuid.UUID(int=self._chance.getrandbits(128), version=4))

    def _conversations(self) -> list[tuple[dict[str, Any], dict[str, Any] | None]]:
        found: list[tuple[dict[str, Any], dict[str, Any] | None]] = []
        for number in range(124):
            agent, at = AGENTS[number % 3], self.now - 240 - number * 3100
            about = number % 3 != 1
            one = {
                "id": f"conv-{self._id()}",
                "agent": agent,
                "status": "running" if number == 1 else "idle",
                "created_at": at - 90_000,
                "last_activity": at,
                "message_count": 4 if number < 3 else 2 + number % 9,
                "repository": REPOSITORIES[number % 3] if about else None,
                "issue": str(17 + number) if about else None,
                "branch": f"fix/{17 + number}" if about and number % 2 else None,
            }
            session = {
                "agent": agent,
                "conversation_id": one["id"],
                "session_id": self._id(),
                "durable": number % 11 != 4,
                "updated_at": at,
                "created_at": at - 90_000,
                "transcript_bytes": 40_000 + number * 911,
            }
            found.append((one, None if number % 17 == 6 else session))
        return found

    def _messages(self, held: Rows) -> Rows:
        said = (
            ("user", "said", PROMPTS[0]),
            ("assistant", "success", "The cart was kept under the guest's id. Fixed."),
            ("user", "said", HOSTILE),
            ("assistant", "success", "I see some HTML. It is only text to me."),
        )
        return [
            {
                "id": f"msg-{self._id()}",
                "conversation_id": one["id"],
                "position": position,
                "role": role,
                "sender": "7" if role == "user" else "assistant",
                "sender_name": "Ada" if role == "user" else one["agent"],
                "content": content,
                "status": status,
                "created_at": one["last_activity"] - 60 * (4 - position),
            }
            for one in held[:3]
            for position, (role, status, content) in enumerate(said, start=1)
        ]

    def _tasks(self) -> Rows:
        statuses = ("queued", "running", *(["completed"] * 6), "failed", "cancelled")
        found = []
        for number in range(70):
            status = statuses[(69 - number) % 10] if number >= 60 else "completed"
            at, ended = (
                self.now - (70 - number) * 2400 + 1900,
                status not in statuses[:2],
            )
            found.append(
                {
                    "id": f"task-{self._id()}",
                    "agent": AGENTS[number % 3],
                    "prompt": PROMPTS[number % 4],
                    "priority": "high" if number % 9 == 3 else "normal",
                    "rank": 0 if number % 9 == 3 else 1,
                    "repository": REPOSITORIES[number % 3] if number % 2 else None,
                    "issue": str(17 + number) if number % 2 else None,
                    "status": status,
                    "attempts": 0 if status == "queued" else 1,
                    "created_at": at,
                    "available_at": at if status != "queued" else self.now + 86_400,
                    "started_at": None if status == "queued" else at + 2,
                    "finished_at": at + 90 if ended else None,
                    "cancel_requested": status == "cancelled",
                    "result": "Done." if status == "completed" else None,
                    "error": HOSTILE if status == "failed" else None,
                    "cost_usd": 0.0123 * (1 + number % 7) if ended else None,
                    "duration_ms": 4_000 + 1_700 * (number % 50) if ended else None,
                }
            )
        return found

    def _events(self) -> Rows:
        kinds = (
            ("issues", "opened", "dispatched", None),
            ("issue_comment", "created", "dispatched", None),
            ("issues", "closed", "cleaned", "2 worktrees and 2 sessions"),
            ("star", "created", "ignored", HOSTILE),
            ("pull_request", "synchronized", "dispatched", None),
        )
        return [
            {
                "source": "github" if number % 4 == 1 else "forgejo",
                "delivery": self._id(),
                "digest": f"{number:064x}",
                "event": event,
                "action": action,
                "repository": REPOSITORIES[number % 3],
                "issue": str(17 + number),
                "received_at": self.now - (60 - number) * 1700 + 900,
                "outcome": outcome,
                "detail": detail,
                "task_id": f"task-{self._id()}" if outcome == "dispatched" else None,
            }
            for number in range(60)
            for event, action, outcome, detail in [kinds[number % 5]]
        ]

    def _sweeps(self) -> Rows:
        return [
            {
                "started_at": self.now - (8 - number) * 21_600 + 9_000,
                "finished_at": self.now - (8 - number) * 21_600 + 9_014,
                "host": "main",
                "asked_by": "request" if number == 5 else "interval",
                "dry_run": number == 5,
                "counts": json.dumps(
                    {
                        "sessions": number % 4,
                        "trees": number % 5,
                        "clones": 0,
                        "transcripts": 3 * number,
                        "files": 41 + number,
                        "bytes": 7_340_032 * number,
                        "skipped": int(number == 6),
                    }
                ),
                "problems": json.dumps([HOSTILE] if number == 6 else []),
            }
            for number in range(8)
        ]

    def _samples(self) -> Iterable[dict[str, Any]]:
        steps = 336
        for step in range(steps):
            at = self.now - (steps - step) * 1800 + 600
            for place, agent in enumerate(AGENTS):
                for area, most in AREAS.items():
                    grown = 0.45 + 0.55 * step / steps
                    swept = 0.62 if area == "trees" and step % 84 > 62 else 1.0
                    size = most * grown * swept * (1 - 0.28 * place)
                    jitter = self._chance.uniform(0.995, 1.005)
                    yield {
                        "at": at,
                        "agent": agent,
                        "area": area,
                        "bytes": int(size * jitter * MIB),
                        "files": int(size * 11),
                    }
            for area, most in (("database", 62), ("definitions", 3)):
                size = most * (0.8 + 0.2 * step / steps)
                files = 3 if area == "database" else 41
                yield {
                    "at": at,
                    "agent": "",
                    "area": area,
                    "bytes": int(size * MIB),
                    "files": files,
                }

    def _records(self) -> list[Record]:
        return [
            Record("backup", self.now - 11_000, True, {"snapshot": "4f1b2c9d"}),
            Record("drill", self.now - 3 * 86_400, True, {"seconds": 41.5}),
        ]


def _put(connection: Connection, table: Table, rows: Rows) -> None:
    connection.execute(insert(table), rows)
