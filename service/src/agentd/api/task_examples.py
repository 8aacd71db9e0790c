# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Examples of requests and answers about scheduled tasks."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]

TASK = "daily-summary"
RUN = "task-3f0c2a51-8a54-4a7e-9f06-3d1b5c7e9a20"
RUN_CONVERSATION = "conv-0c9b8a7d6e5f4a3b2c1d0e9f8a7b6c5d"
NEW_SCHEDULE: Json = {
    "id": TASK,
    "prompt": "Summarise what is new.",
    "schedule_type": "cron",
    "schedule_value": "0 9 * * 1-5",
    "context_mode": "isolated",
    "time_zone": "Europe/Berlin",
}
SCHEDULE: Json = {
    **NEW_SCHEDULE,
    "conversation_id": None,
    "agent": "main",
    "priority": "normal",
    "definition": None,
    "model": None,
    "next_run": "2026-03-03T08:00:00.000Z",
    "last_run": "2026-03-02T08:00:00.000Z",
    "last_result": "Nothing is new.",
    "status": "active",
    "created_at": "2026-02-27T16:12:08.311Z",
}
EXECUTION: Json = {
    "status": "success",
    "task_id": TASK,
    "run_id": RUN,
    "conversation_id": RUN_CONVERSATION,
    "result": "Nothing is new.",
    "error": None,
    "duration_ms": 4874,
    "next_run": "2026-03-03T08:00:00.000Z",
}
RUNS: Json = {
    "task_id": TASK,
    "runs": [
        {
            "id": RUN,
            "status": "completed",
            "attempts": 1,
            "conversation_id": RUN_CONVERSATION,
            "created_at": "2026-03-02T08:00:00.004Z",
            "started_at": "2026-03-02T08:00:00.009Z",
            "finished_at": "2026-03-02T08:00:04.883Z",
            "duration_ms": 4874,
            "cost_usd": 0.0123,
            "result": "Nothing is new.",
            "error": None,
        }
    ],
    "more": False,
}

REQUESTS: dict[str, Json] = {
    "post /task": NEW_SCHEDULE,
    "put /task/{task_id}": {"schedule_value": "30 8 * * 1-5"},
    "post /task/trigger": {"task_id": TASK},
}
ANSWERS: dict[str, Any] = {
    "post /task": SCHEDULE,
    "get /tasks": {"tasks": [SCHEDULE], "more": False},
    "get /task/{task_id}": SCHEDULE,
    "put /task/{task_id}": SCHEDULE,
    "get /task/{task_id}/runs": RUNS,
    "post /task/trigger": EXECUTION,
    "post /task/check": {
        "checked": 3,
        "executed": EXECUTION,
        "remaining": 2,
        "message": None,
    },
}
