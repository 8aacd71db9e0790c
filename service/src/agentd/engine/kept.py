# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""What is kept of the CLI's messages: the SDK holds some of them as long as it lives.

A client may live for hours, and an agent may have many of them.
"""

from __future__ import annotations

import math
from typing import Any

from agentd.engine.words import MAX_RESULT_CHARACTERS

SPENT = "model_usage_since_last_result"
MAX_ERRORS = 20
MAX_AMOUNT = 1e15
MAX_ERROR_CHARACTERS = 2_000
MAX_IDS = 1_000
OF_RESULT = (
    "type",
    "subtype",
    "duration_ms",
    "duration_api_ms",
    "is_error",
    "num_turns",
    "session_id",
    "api_error_status",
    "user_message_uuid",
)


def kept(message: dict[str, Any]) -> dict[str, Any]:
    """Return a message without what nobody uses."""
    if message.get("type") == "result":
        return _kept_result(message)
    if message.get("type") == "control_response":
        return {"type": "control_response", "response": _kept_response(message)}
    return message


def _kept_response(message: dict[str, Any]) -> dict[str, Any]:
    response = message.get("response")
    if not isinstance(response, dict):
        return {}
    # What the CLI tells of itself in its greeting is long, and of no use to us.
    told: dict[str, Any] = {"response": {}}
    for name in ("subtype", "request_id", "error"):
        if isinstance(value := response.get(name), str):
            told[name] = value[:MAX_ERROR_CHARACTERS]
    return told


def _kept_result(message: dict[str, Any]) -> dict[str, Any]:
    told = {name: message[name] for name in OF_RESULT if _is_plain(message, name)}
    text = message.get("result")
    if isinstance(text, str):
        most = MAX_ERROR_CHARACTERS if told.get("is_error") else MAX_RESULT_CHARACTERS
        told["result"] = text[:most]
    if isinstance(errors := message.get("errors"), list):
        texts = [text for text in errors[:MAX_ERRORS] if isinstance(text, str)]
        told["errors"] = [text[:MAX_ERROR_CHARACTERS] for text in texts]
    if isinstance(ids := message.get("user_message_uuids"), list):
        told["user_message_uuids"] = [one for one in ids if isinstance(one, str)][
            :MAX_IDS
        ]
    if isinstance(origin := message.get("origin"), dict):
        told["origin"] = {"kind": str(origin.get("kind"))[:MAX_ERROR_CHARACTERS]}
    told["total_cost_usd"] = spent(message.get(SPENT))
    return told


def _is_plain(message: dict[str, Any], name: str) -> bool:
    value = message.get(name)
    if isinstance(value, str):
        return len(value) <= MAX_ERROR_CHARACTERS
    return name in message and isinstance(value, bool | int | float | None)


def spent(usage: object) -> float | None:
    """Return what the CLI spent on one turn; its sum includes earlier processes."""
    if not isinstance(usage, dict):
        return None
    costs = [one.get("costUSD") for one in usage.values() if isinstance(one, dict)]
    return sum(_amount(cost) for cost in costs if isinstance(cost, int | float))


def _amount(cost: float) -> float:
    # A whole number of hundreds of digits is too large for a float.
    return float(cost) if abs(cost) < MAX_AMOUNT else math.inf
