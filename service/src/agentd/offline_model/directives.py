# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""Decide what to answer, from nothing but the messages of one request."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

PREFIX = "[offline model, not a real model] "
MAX_RESULT_CHARACTERS = 20_000
MAX_SLOW_SECONDS = 600.0

# Directives are looked for in so much of a text: an agent chooses what it says.
MAX_TEXT_CHARACTERS = 200_000
MAX_RECALLED_TEXTS = 1_000
MAX_COUNT = 10_000_000

_REMINDER = ("<system-reminder>", "</system-reminder>")
_REMEMBER = re.compile(r"\bremember the word[:\s]{1,8}[\"']?([\w-]+)", re.IGNORECASE)
_RECALL = re.compile(r"\b(?:which|what) words?\b", re.IGNORECASE)
_RECALLED = re.compile(r"\bremember\b", re.IGNORECASE)
_TOOL = re.compile(r"^[ \t]{0,8}tool ([\w-]+) (?=\{)", re.MULTILINE)
_SLOWLY = re.compile(
    r"\banswer slowly for (\d{1,6}(?:\.\d{1,6})?) seconds?\b", re.IGNORECASE
)
_FAIL = re.compile(
    r"\bfail with status ([45]\d\d)\b(?: and retry after (\d{1,6}))?", re.IGNORECASE
)
_USE = re.compile(
    r"\buse (\d{1,8}) (input|output|cache write|cache read) tokens\b", re.IGNORECASE
)
USE_NAMES = {
    "input": "input_tokens",
    "output": "output_tokens",
    "cache write": "cache_creation_input_tokens",
    "cache read": "cache_read_input_tokens",
}


@dataclass(frozen=True)
class Reply:
    """What the offline model does with one request."""

    text: str = ""
    tool: str | None = None
    tool_input: Mapping[str, object] = field(default_factory=dict)
    slow_seconds: float = 0.0
    hang: bool = False
    fail_status: int | None = None
    retry_after: int | None = None
    usage: Mapping[str, int] = field(default_factory=dict)


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
        wait = None if match[2] is None else int(match[2])
        return Reply(fail_status=int(match[1]), retry_after=wait)
    if any(_is_hang(line) for line in text.splitlines()):
        return Reply(hang=True)
    if (reply := _tool(text)) is not None:
        return reply
    return replace(_answer(text, turns), usage=_usage(text))


def _is_hang(line: str) -> bool:
    return line.strip().removesuffix(".").rstrip().lower() == "hang"


def _usage(text: str) -> Mapping[str, int]:
    said = {USE_NAMES[kind.lower()]: int(n) for n, kind in _USE.findall(text)}
    return {name: min(number, MAX_COUNT) for name, number in said.items()}


def _answer(text: str, turns: Sequence[Mapping[str, object]]) -> Reply:
    if match := _SLOWLY.search(text):
        seconds = min(float(match[1]), MAX_SLOW_SECONDS)
        return Reply(
            text=f"{PREFIX}This answer took {seconds:g} seconds.", slow_seconds=seconds
        )
    return Reply(text=PREFIX + _say(text, turns))


def _say(text: str, turns: Sequence[Mapping[str, object]]) -> str:
    if _asks_to_recall(text):
        return _recall(turns)
    if words := _REMEMBER.findall(text):
        return f"I will remember: {', '.join(words)}."
    return f"I read your message of {len(text)} characters."


def _asks_to_recall(text: str) -> bool:
    for line in text.splitlines():
        if (match := _RECALL.search(line)) and _RECALLED.search(line, match.end()):
            return True
    return False


def _tool(text: str) -> Reply | None:
    match = _TOOL.search(text)
    if match is None:
        return None
    try:
        value, _end = json.JSONDecoder().raw_decode(text, match.end())
    except (ValueError, RecursionError) as error:
        return Reply(text=f"{PREFIX}The tool's input is not JSON: {error}.")
    return Reply(text=f"{PREFIX}Calling {match[1]}.", tool=match[1], tool_input=value)


def _recall(turns: Sequence[Mapping[str, object]]) -> str:
    asked = [turn for turn in turns if turn.get("role") == "user"]
    said = [_text(turn) for turn in asked[-MAX_RECALLED_TEXTS:]]
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
        _without_reminders(str(block.get("text", ""))[:MAX_TEXT_CHARACTERS]).strip()
        for block in _blocks(turn)
        if block.get("type") == "text"
    ]
    return [text for text in texts if text]


def _without_reminders(text: str) -> str:
    opening, closing = _REMINDER
    kept = []
    place = 0
    while (start := text.find(opening, place)) >= 0:
        end = text.find(closing, start)
        if end < 0:
            break
        kept.append(text[place:start])
        place = end + len(closing)
    return "".join([*kept, text[place:]])


def _flat(content: object) -> str:
    if isinstance(content, str):
        return content
    return "\n".join(
        str(block.get("text", "")) for block in _blocks({"content": content})
    )
