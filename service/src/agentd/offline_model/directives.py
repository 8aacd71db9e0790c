# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""Decide what to answer, from nothing but the messages of one request."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

PREFIX = "[offline model, not a real model] "
MAX_RESULT_CHARACTERS = 20_000
MAX_SLOW_SECONDS = 600.0

_REMINDER = re.compile(r"<system-reminder>.*?</system-reminder>", re.DOTALL)
_REMEMBER = re.compile(r"\bremember the word[:\s]+[\"']?([\w-]+)", re.IGNORECASE)
_RECALL = re.compile(r"\b(which|what) words?\b.*\bremember\b", re.IGNORECASE)
_TOOL = re.compile(r"^\s*tool (\w+) (?=\{)", re.MULTILINE)
_SLOWLY = re.compile(r"\banswer slowly for (\d+(?:\.\d+)?) seconds?\b", re.IGNORECASE)
_HANG = re.compile(r"^\s*hang\s*\.?\s*$", re.IGNORECASE | re.MULTILINE)
_FAIL = re.compile(r"\bfail with status ([45]\d\d)\b", re.IGNORECASE)


@dataclass(frozen=True)
class Reply:
    """What the offline model does with one request."""

    text: str = ""
    tool: str | None = None
    tool_input: Mapping[str, object] = field(default_factory=dict)
    slow_seconds: float = 0.0
    hang: bool = False
    fail_status: int | None = None


def decide(messages: Sequence[object]) -> Reply:
    """Return the reply to these messages.

    A directive stands in the newest user text, and is answered as soon as any
    message of the assistant follows it.
    """
    turns = [message for message in messages if isinstance(message, dict)]
    place = _newest_user_text(turns)
    if place is None:
        return Reply(text=f"{PREFIX}There is no text to answer.")
    if any(turn.get("role") == "assistant" for turn in turns[place + 1 :]):
        return _after_assistant(turns)
    return _obey(_texts(turns[place])[-1], turns[: place + 1])


def _newest_user_text(turns: Sequence[Mapping[str, object]]) -> int | None:
    for place in range(len(turns) - 1, -1, -1):
        if turns[place].get("role") == "user" and _text(turns[place]):
            return place
    return None


def _after_assistant(turns: Sequence[Mapping[str, object]]) -> Reply:
    for turn in reversed(turns):
        if turn.get("role") == "assistant":
            break
        results = [
            _flat(block.get("content"))
            for block in _blocks(turn)
            if block.get("type") == "tool_result"
        ]
        if results:
            text = "\n".join(results)[:MAX_RESULT_CHARACTERS]
            return Reply(text=f"{PREFIX}The tool answered:\n{text}")
    return Reply(text=f"{PREFIX}Done.")


def _obey(text: str, turns: Sequence[Mapping[str, object]]) -> Reply:
    if match := _FAIL.search(text):
        return Reply(fail_status=int(match[1]))
    if _HANG.search(text):
        return Reply(hang=True)
    if (reply := _tool(text)) is not None:
        return reply
    if match := _SLOWLY.search(text):
        seconds = min(float(match[1]), MAX_SLOW_SECONDS)
        return Reply(
            text=f"{PREFIX}This answer took {seconds:g} seconds.", slow_seconds=seconds
        )
    return Reply(text=PREFIX + _say(text, turns))


def _say(text: str, turns: Sequence[Mapping[str, object]]) -> str:
    if _RECALL.search(text):
        return _recall(turns)
    if words := _REMEMBER.findall(text):
        return f"I will remember: {', '.join(words)}."
    return f"I read your message of {len(text)} characters."


def _tool(text: str) -> Reply | None:
    match = _TOOL.search(text)
    if match is None:
        return None
    try:
        value, _end = json.JSONDecoder().raw_decode(text, match.end())
    except ValueError as error:
        return Reply(text=f"{PREFIX}The tool's input is not JSON: {error}.")
    return Reply(text=f"{PREFIX}Calling {match[1]}.", tool=match[1], tool_input=value)


def _recall(turns: Sequence[Mapping[str, object]]) -> str:
    said = [_text(turn) for turn in turns if turn.get("role") == "user"]
    words = [word for text in said for word in _REMEMBER.findall(text)]
    if not words:
        return "You asked me to remember no word."
    return f"You asked me to remember: {', '.join(dict.fromkeys(words))}."


def _blocks(turn: Mapping[str, object]) -> list[Mapping[str, object]]:
    content = turn.get("content")
    if isinstance(content, str):
        return [{"type": "text", "text": content}]
    if not isinstance(content, list):
        return []
    return [block for block in content if isinstance(block, dict)]


def _text(turn: Mapping[str, object]) -> str:
    return "\n".join(_texts(turn))


def _texts(turn: Mapping[str, object]) -> list[str]:
    """Return the texts in a message; after a failed turn, one holds two of them."""
    texts = [
        _REMINDER.sub("", str(block.get("text", ""))).strip()
        for block in _blocks(turn)
        if block.get("type") == "text"
    ]
    return [text for text in texts if text]


def _flat(content: object) -> str:
    if isinstance(content, str):
        return content
    return "\n".join(
        str(block.get("text", "")) for block in _blocks({"content": content})
    )
