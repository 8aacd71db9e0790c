# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""One example of each request and answer, shown in the OpenAPI document."""

from __future__ import annotations

from typing import Any

from agentd.api import (
    credential_examples,
    queue_examples,
    record_examples,
    registry_examples,
    sweep_examples,
    task_examples,
    usage_examples,
    webhook_examples,
)

Json = dict[str, Any]

REQUEST_ID = "3f2c8a54-6f0e-4f7a-9d0e-2b6f6f1f5c11"
CONVERSATION = "conv-7d1f4c2a9b3e4f58a6c0d9e8b7a61234"
SESSION = "5b0f5a34-9d77-4f0a-8a55-0d1c7c2e9f10"
UUID = "0b9d7c1e-4a55-4c0f-9f0b-6c1f0a2d3e4f"
CREATED = "2026-03-02T09:30:00.000Z"
LATER = "2026-03-02T09:30:02.140Z"
MARKER = "[[AGENTKEEP_SESSION_END]]"

SAY: Json = {"message": "Remember the word mango.", "sender": "7", "sender_name": "Ada"}
ANSWER: Json = {
    "status": "success",
    "conversation_id": CONVERSATION,
    "message_id": "msg-1c9e7a3d5b2f4e6880a1b2c3d4e5f607",
    "agent": "main",
    "result": "I will remember the word mango.",
    "error": None,
    "model": "claude-sonnet-4-5",
    "session_id": SESSION,
    "duration_ms": 2140,
    "persisted": True,
    "resumed": False,
    "notice": None,
    "outbound_messages": [
        {
            "id": 3,
            "conversation_id": CONVERSATION,
            "text": "The nightly report is done.",
            "sender": "assistant",
            "created_at": CREATED,
        }
    ],
    "last_message_uuid": UUID,
    "cost_usd": 0.0123,
    "session_end_marker": MARKER,
    "session_end_marker_detected": False,
}
CONVERSATION_BODY: Json = {
    "id": CONVERSATION,
    "conversation_id": CONVERSATION,
    "agent": "main",
    "repository": None,
    "issue": None,
    "branch": None,
    "definition": None,
    "status": "idle",
    "session_id": SESSION,
    "durable": True,
    "created_at": CREATED,
    "last_activity": LATER,
    "message_count": 2,
    "live": True,
}
MESSAGES: Json = {
    "conversation_id": CONVERSATION,
    "messages": [
        {
            "id": "msg-5a4b3c2d1e0f49888776655443322110",
            "conversation_id": CONVERSATION,
            "role": "user",
            "sender": "7",
            "sender_name": "Ada",
            "content": "Remember the word mango.",
            "status": "said",
            "created_at": CREATED,
            "persisted": None,
            "last_message_uuid": None,
        },
        {
            "id": "msg-1c9e7a3d5b2f4e6880a1b2c3d4e5f607",
            "conversation_id": CONVERSATION,
            "role": "assistant",
            "sender": "assistant",
            "sender_name": "main",
            "content": "I will remember the word mango.",
            "status": "success",
            "created_at": LATER,
            "persisted": True,
            "last_message_uuid": UUID,
        },
    ],
    "more": False,
}
SKILLS: Json = {
    "builtIn": ["documents"],
    "org": ["house-style"],
    "uploaded": ["invoices"],
    "user": ["house-style", "letters"],
    "effective": ["documents", "house-style", "invoices", "letters"],
    "shadowed": [
        {
            "name": "house-style",
            "winner": "org",
            "loser": "/data/memory/skills/house-style",
        }
    ],
    "persisted": ["letters"],
    "conflicts": [],
    "removed": [],
    "warnings": [],
    "changed": True,
    "managed_mcp": "absent",
    "restart_needed": [],
    "missing": [],
}
SKILLS_OF_AGENTS: Json = {"main": {"skills": SKILLS, "error": None}}
HEALTH: Json = {
    "status": "ok",
    "version": "0.1.0",
    "commit": "f82ee12",
    "build_time": CREATED,
    "max_execution_ms": 300_000,
    "draining": False,
    "database": {"ok": True, "conversations": 12, "tasks": 0, "error": None},
    "volumes": {"memory": True, "skills": True, "sessions": True, "store": True},
    "agents": {"declared": 1, "connected": 1},
    "queue_length": 3,
    "problems": [],
}
AGENT: Json = {
    "name": "main",
    "connected": True,
    "ok": True,
    "errors": [],
    "warnings": [],
    "unproved": False,
    "live_conversations": 1,
    "credentials": "not_used",
    "credentials_expire_at": None,
    "model": {
        "state": "rate_limited",
        "since": "2026-03-02T09:29:41.000Z",
        "retry_after": "2026-03-02T09:30:11.000Z",
        "reason": "The model answered 429 (rate_limit_error).",
        "sign_in": "gateway",
        "running": 0,
        "usage": {"requests": 12, "tokens": 215110, "cost_usd": 0.19263},
        "budget": {
            "period": "day",
            "resets_at": 1772496000.0,
            "usd": 5.0,
            "usd_left": 4.80737,
            "tokens": None,
            "tokens_left": None,
        },
    },
}
SESSION_BODY: Json = {
    "session_id": SESSION,
    "conversation_id": CONVERSATION,
    "agent": "main",
    "repository": None,
    "issue": None,
    "durable": True,
    "live": False,
    "resumable": True,
    "why": "Its transcript is sound.",
    "stored_bytes": 77_310,
    "updated_at": LATER,
    "transcript": {"verdict": "sound", "bytes": 118_204, "lines": 9, "faults": []},
}
SESSIONS: Json = {
    "sessions": [SESSION_BODY],
    "scanned": True,
    "more": False,
    "orphans": [
        {
            "agent": "main",
            "session_id": "aa4d4a5e-1d1b-4a1b-9c39-1f3c9d5b7e21",
            "bytes": 84_112,
            "modified": CREATED,
        }
    ],
    "problems": [],
}
EVENTS = (
    'event: start\ndata: {"conversation_id": "conv-7d1f", "message_id": "msg-1c9e", '
    '"session_id": "5b0f", "agent": "main"}\n\n'
    'event: chunk\ndata: {"text": "I will remember the word mango."}\n\n'
    'event: done\ndata: {"status": "success", "result": "I will remember the word '
    'mango."}\n\n'
)
FIGURES = (
    "# HELP agentd_turns_total Turns that ended.\n"
    "# TYPE agentd_turns_total counter\n"
    'agentd_turns_total{agent="main",status="success"} 12.0\n'
)

REQUESTS: dict[str, Json] = {
    "post /chat": SAY,
    "post /sessions/{session_id}/repair": {"agent": "main"},
    "post /admin/reload-skills": {"agent": "main"},
    "post /control/stop": {"reason": "end-of-session"},
    "post /reset": {"agent": "main", "repo": "shop/web", "issue": "17"},
    **task_examples.REQUESTS,
    **registry_examples.REQUESTS,
    **queue_examples.REQUESTS,
    **credential_examples.REQUESTS,
    **record_examples.REQUESTS,
    **sweep_examples.REQUESTS,
}
ANSWERS: dict[str, Any] = {
    "get /health": HEALTH,
    "get /agents": [AGENT],
    "post /chat": ANSWER,
    "get /chat": {"conversations": [CONVERSATION_BODY]},
    "get /chat/{conversation_id}": CONVERSATION_BODY,
    "get /chat/{conversation_id}/messages": MESSAGES,
    "get /sessions": SESSIONS,
    "post /sessions/{session_id}/repair": {
        "session_id": SESSION,
        "agent": "main",
        "repaired": True,
        "kept": "/data/memory/.claude/projects/-data-memory/kept/5b0f5a34.jsonl",
        "verdict": "sound",
        "faults": [{"kind": "torn_line", "count": 1, "first_line": 8}],
    },
    "post /reset": {"dropped": {"worktree": True, "session": True}},
    "delete /sessions": {"repository": "shop/web", "issue": "17", "dropped": 2},
    "get /admin/skills": {"skills": SKILLS, "agents": SKILLS_OF_AGENTS},
    "post /admin/reload-skills": {
        "status": "reloaded",
        "skills": SKILLS,
        "agents": SKILLS_OF_AGENTS,
    },
    "post /control/stop": {
        "status": "stopping",
        "reason": "end-of-session",
        "message": "Running turns may end; then the service exits.",
    },
    **task_examples.ANSWERS,
    **registry_examples.ANSWERS,
    **queue_examples.ANSWERS,
    **credential_examples.ANSWERS,
    **record_examples.ANSWERS,
    **sweep_examples.ANSWERS,
    **usage_examples.ANSWERS,
    **webhook_examples.ANSWERS,
}
REFUSED: dict[int, Json] = {
    400: {
        "error": "The request is not valid: see problems.",
        "problems": [{"where": ["body", "message"], "problem": "Field required"}],
    },
    401: {"error": "Unauthorized: send the bearer token."},
    403: {
        "error": "Refused: this socket may be opened by pages of this service only. "
        "Set an API token to allow others."
    },
    404: {"error": f'Conversation "{CONVERSATION}" does not exist.'},
    408: {"error": "The body was not whole within 30 s. Send it again."},
    409: {
        "error": f'Conversation "{CONVERSATION}" is in a turn. '
        "Wait for its answer and try again.",
        "conversation_id": CONVERSATION,
    },
    413: {"error": "The body is larger than 1000000 bytes. Send less."},
    426: {
        "error": "This path speaks WebSocket, version 13. Open it as ws:// or wss://, "
        "or read GET /queue/{id}/output."
    },
    500: {"error": "The service failed. Look into the log of control."},
    501: {"error": "Cannot stop: nothing here could be told to."},
    503: {
        "error": 'Cannot reach agent "main": its side is not connected. '
        "Start its container and try again."
    },
    507: {
        "error": 'Cannot begin a turn: Agent "main" takes 10.2 GB, the most of it as '
        "caches, and no new turn above 10 GB (usage.limit_bytes). Make room "
        "(docs/usage.md), or raise usage.limit_bytes."
    },
}
