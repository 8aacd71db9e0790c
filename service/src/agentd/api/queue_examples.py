# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Examples of requests and answers about queued tasks."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]

QUEUED = "task-3f0c2a51-8a54-4a7e-9f06-3d1b5c7e9a20"
NEW_TASK: Json = {
    "prompt": "Write down what changed since yesterday.",
    "agent": "main",
    "priority": "high",
}
TASK: Json = {
    "id": QUEUED,
    "status": "completed",
    "agent": "main",
    "priority": "high",
    "prompt": "Write down what changed since yesterday.",
    "conversation_id": "conv-0c9b8a7d6e5f4a3b2c1d0e9f8a7b6c5d",
    "schedule_id": None,
    "repository": None,
    "issue": None,
    "branch": None,
    "prompt_if_resumed": None,
    "definition": None,
    "model": None,
    "timeout_seconds": None,
    "attempts": 1,
    "cancel_requested": False,
    "host": "main",
    "created_at": "2026-03-02T09:30:00.000Z",
    "available_at": "2026-03-02T09:30:00.000Z",
    "started_at": "2026-03-02T09:30:00.009Z",
    "finished_at": "2026-03-02T09:30:04.883Z",
    "duration_ms": 4874,
    "cost_usd": 0.0123,
    "result": "Three files changed.",
    "error": None,
}
WAITING: Json = {
    **TASK,
    "status": "queued",
    "conversation_id": None,
    "attempts": 0,
    "host": None,
    "started_at": None,
    "finished_at": None,
    "duration_ms": None,
    "cost_usd": None,
    "result": None,
}
LOG: Json = {
    "id": QUEUED,
    "lines": [
        {"at": "2026-03-02T09:30:00.009Z", "event": "started", "detail": None},
        {"at": "2026-03-02T09:30:02.512Z", "event": "tool_use", "detail": "Bash"},
    ],
    "more": False,
}
DEAD: Json = {
    "items": [
        {
            "at": "2026-03-02T09:30:00.000Z",
            "source": "{agentkeep:main}:queue:main:normal",
            "item": '{"task_id": "task-unknown"}',
            "reason": "There is no task of that id.",
        }
    ],
    "more": False,
}
OUTPUT = (
    'id: 1772443800009-1\nevent: started\ndata: {"attempt": 1, "host": "main"}\n\n'
    'id: 1772443800009-2\nevent: chunk\ndata: {"text": "Three files changed."}\n\n'
    'id: 1772443800009-3\nevent: end\ndata: {"status": "completed", "result": "Three '
    'files changed."}\n\n'
)

REQUESTS: dict[str, Json] = {"post /queue": NEW_TASK}
ANSWERS: dict[str, Any] = {
    "post /queue": WAITING,
    "get /queue": {"tasks": [TASK], "more": False},
    "get /queue/{queued_id}": TASK,
    "post /queue/{queued_id}/cancel": TASK,
    "get /queue/{queued_id}/logs": LOG,
    "get /queue-dead": DEAD,
}
EVENTS: dict[str, str] = {"get /queue/{queued_id}/output": OUTPUT}
