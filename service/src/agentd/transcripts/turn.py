# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""What a transcript holds of one turn: whether it ended, and its answer."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from agentd.transcripts.find import Places, transcripts_of
from agentd.transcripts.judge import Entry, judge
from agentd.transcripts.lines import Line, read_lines
from agentd.transcripts.scan import MAX_FILE_BYTES

MAX_ANSWER_CHARACTERS = 100_000
# What an answer may take in a frame, where a sign outside ASCII takes up to twelve.
MAX_ANSWER_BYTES = 200_000
TAIL_BYTES = 1024 * 1024
INTERRUPTED = "[Request interrupted by user"
# A message that the CLI puts in itself, such as for a turn that was killed.
SYNTHETIC = "<synthetic>"


@dataclass(frozen=True)
class TurnState:
    """What is on disk of the turn that a user's message began."""

    found: bool = False
    ended: bool = False
    answer: str | None = None
    is_error: bool = False
    last_uuid: str | None = None
    truncated: bool = False

    def for_output(self, *, running: bool) -> Mapping[str, object]:
        """Return what control is told."""
        return {
            "running": running,
            "found": self.found,
            "ended": self.ended,
            "answer": self.answer,
            "is_error": self.is_error,
            "last_uuid": self.last_uuid,
            "truncated": self.truncated,
        }


def turn_state(places: Places, session_id: str, message_uuid: str) -> TurnState:
    """Given a session and the uuid of a user's message, return the state of its turn.

    The end of the file is looked at first: the turn asked for is mostly the last.
    """
    with transcripts_of(places, session_id) as found:
        files = [one.file for one in found if one.file >= 0]
        if not files:
            return TurnState()
        size = min(os.fstat(files[0]).st_size, MAX_FILE_BYTES)
        for start in dict.fromkeys((max(0, size - TAIL_BYTES), 0)):
            state = follow(read_lines(files[0], size, start), message_uuid)
            if state.found:
                return state
        return TurnState()


def follow(lines: Iterable[Line], message_uuid: str) -> TurnState:
    """Given lines in order, return the state of the turn that the message began."""
    wanted, turn = message_uuid.encode(), _Turn(message_uuid)
    for line in lines:
        if not turn.state.found and wanted not in (line.content or b""):
            continue
        entry = judge(line).entry
        if entry is None or entry.sidechain:
            continue
        if not turn.take(entry):
            break
    return _settled(turn.state)


def _settled(state: TurnState) -> TurnState:
    """Return the state without what was said before an answer that never came."""
    return state if state.ended else replace(state, answer=None, truncated=False)


class _Turn:
    """Follows the main line of the conversation through one turn."""

    def __init__(self, message_uuid: str) -> None:
        self._uuid = message_uuid
        self._prompt: object = None
        self._message: object = None
        self.state = TurnState()

    def take(self, entry: Entry) -> bool:
        """Take the next entry; return False if it is past the turn."""
        if not self.state.found:
            if entry.uuid == self._uuid and entry.kind == "user":
                self._prompt = entry.value.get("promptId")
                self.state = TurnState(found=True, last_uuid=entry.uuid)
            return True
        if entry.kind == "assistant":
            return self._take_answer(entry)
        if entry.kind == "user":
            return self._take_user(entry)
        return True

    def _take_user(self, entry: Entry) -> bool:
        if _text(entry).startswith(INTERRUPTED):
            self.state = replace(self.state, ended=True, answer=None)
            return False
        if self._begins_another(entry):
            self.state = replace(_settled(self.state), ended=True)
            return False
        # A result of a tool: what was said before it was not the answer.
        self.state = replace(
            self.state, ended=False, answer=None, is_error=False, last_uuid=entry.uuid
        )
        return True

    def _begins_another(self, entry: Entry) -> bool:
        value = entry.value
        if value.get("isMeta") is True or value.get("isCompactSummary") is True:
            return False
        if self._prompt is not None and value.get("promptId") == self._prompt:
            return False
        return not any(block.get("type") == "tool_result" for block in _blocks(entry))

    def _take_answer(self, entry: Entry) -> bool:
        message = _message(entry)
        is_error = entry.value.get("isApiErrorMessage") is True
        if message.get("model") == SYNTHETIC and not is_error:
            self.state = replace(_settled(self.state), ended=True)
            return False
        known = self.state.answer if message.get("id") == self._message else None
        self._message = message.get("id")
        full = known is not None and self.state.truncated
        # Once it is full, a line costs no more than its own length.
        more = None if full else _text(entry)
        text = "\n".join(part for part in (known, more) if part)
        answer = (known or "") if full else _cut(text)
        self.state = replace(
            self.state,
            ended=message.get("stop_reason") not in (None, "tool_use", "pause_turn"),
            answer=answer or None,
            truncated=full or len(answer) < len(text),
            is_error=is_error,
            last_uuid=entry.uuid,
        )
        return True


def _cut(text: str) -> str:
    """Return as much of an answer as a frame has room for."""
    text = text[:MAX_ANSWER_CHARACTERS]
    while len(json.dumps(text)) > MAX_ANSWER_BYTES:
        text = text[: len(text) * 3 // 4]
    return text


def _message(entry: Entry) -> Mapping[str, object]:
    message = entry.value.get("message")
    return message if isinstance(message, dict) else {}


def _blocks(entry: Entry) -> list[Mapping[str, object]]:
    content = _message(entry).get("content")
    if isinstance(content, str):
        return [{"type": "text", "text": content}]
    if not isinstance(content, list):
        return []
    return [block for block in content if isinstance(block, dict)]


def _text(entry: Entry) -> str:
    texts = [block.get("text") for block in _blocks(entry)]
    return "\n".join(text for text in texts if isinstance(text, str) and text)
