# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""The Messages API's forms of a reply: one JSON object, or server-sent events."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator, Mapping

from agentd.offline_model.directives import Reply

CHARACTERS_PER_TOKEN = 4
WORDS_PER_EVENT = 40


def count_tokens(body: Mapping[str, object]) -> int:
    """Return a rough number of tokens, the same for the same body."""
    said = {name: body.get(name) for name in ("system", "messages", "tools")}
    return max(1, len(json.dumps(said)) // CHARACTERS_PER_TOKEN)


def content(reply: Reply) -> list[dict[str, object]]:
    """Return the reply's content blocks."""
    blocks: list[dict[str, object]] = [{"type": "text", "text": reply.text}]
    if reply.tool is not None:
        tool = {"id": f"toolu_{uuid.uuid4().hex[:24]}", "name": reply.tool}
        blocks.append({"type": "tool_use", **tool, "input": dict(reply.tool_input)})
    return blocks


def message(model: str, reply: Reply, input_tokens: int) -> dict[str, object]:
    """Return the reply as one message."""
    return {
        "id": f"msg_offline_{uuid.uuid4().hex}",
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": content(reply),
        "stop_reason": "end_turn" if reply.tool is None else "tool_use",
        "stop_sequence": None,
        "usage": {
            "input_tokens": input_tokens,
            "output_tokens": len(reply.text) // CHARACTERS_PER_TOKEN + 1,
            "cache_creation_input_tokens": 0,
            "cache_read_input_tokens": 0,
            **reply.usage,
        },
    }


def events(whole: Mapping[str, object]) -> Iterator[bytes]:
    """Yield a message as server-sent events, its text in several pieces."""
    usage = whole["usage"]
    blocks = whole["content"]
    stop = {"stop_reason": whole["stop_reason"], "stop_sequence": None}
    assert isinstance(usage, dict) and isinstance(blocks, list)
    started = {
        **whole,
        "content": [],
        "stop_reason": None,
        "usage": {**usage, "output_tokens": 1},
    }
    yield event("message_start", message=started)
    for index, block in enumerate(blocks):
        yield from _block_events(index, block)
    yield event(
        "message_delta", delta=stop, usage={"output_tokens": usage["output_tokens"]}
    )
    yield event("message_stop")


def _block_events(index: int, block: Mapping[str, object]) -> Iterator[bytes]:
    if block["type"] == "text":
        start: dict[str, object] = {"type": "text", "text": ""}
        deltas = [
            {"type": "text_delta", "text": piece}
            for piece in _pieces(str(block["text"]))
        ]
    else:
        start = {**block, "input": {}}
        part = json.dumps(block["input"])
        deltas = [{"type": "input_json_delta", "partial_json": part}]
    yield event("content_block_start", index=index, content_block=start)
    for delta in deltas:
        yield event("content_block_delta", index=index, delta=delta)
    yield event("content_block_stop", index=index)


def _pieces(text: str) -> Iterator[str]:
    words = text.split(" ")
    for start in range(0, len(words), WORDS_PER_EVENT):
        end = start + WORDS_PER_EVENT
        piece = " ".join(words[start:end])
        yield piece if end >= len(words) else f"{piece} "


def event(name: str, **data: object) -> bytes:
    """Return one server-sent event."""
    body = json.dumps({"type": name, **data}, separators=(",", ":"))
    return f"event: {name}\ndata: {body}\n\n".encode()
