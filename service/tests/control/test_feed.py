# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""The feed of a turn: bounded, whatever the agent tells and however slow the reader."""

from __future__ import annotations

import claude_agent_sdk as sdk
import pytest

from agentd.conversations.feed import MAX_CHARACTERS, MAX_EVENTS, EventFeed
from agentd.engine.claude import translate
from agentd.engine.protocol import Chunk, Thinking, ToolUse, TurnEvent


async def everything(feed: EventFeed) -> list[TurnEvent]:
    feed.end()
    return [event async for event in feed.read(1.0) if event is not None]


def text_of(events: list[TurnEvent]) -> str:
    return "".join(event.text for event in events if isinstance(event, Chunk))


async def test_a_slow_reader_gets_every_character_in_fewer_pieces() -> None:
    feed = EventFeed()
    said = "".join(chr(ord("a") + number % 26) for number in range(100_000))

    for letter in said:
        feed.offer(Chunk(letter))
    events = await everything(feed)

    assert text_of(events) == said
    assert len(events) <= MAX_EVENTS
    assert feed.dropped == 0


@pytest.mark.parametrize(
    "event",
    [
        Chunk("x" * 100_000),
        Thinking("x" * 100_000),
        ToolUse("Write", {"content": "x" * 100_000}),
    ],
)
async def test_what_waits_for_a_slow_reader_is_bounded(event: TurnEvent) -> None:
    feed = EventFeed()

    for _number in range(1000):
        feed.offer(event)
    events = await everything(feed)

    assert sum(len(str(one)) for one in events) < 2 * MAX_CHARACTERS
    assert feed.dropped > 0


async def test_a_reader_that_comes_back_is_told_again() -> None:
    feed = EventFeed()
    large = Chunk("x" * MAX_CHARACTERS)

    feed.offer(large)
    feed.offer(large)
    reading = feed.read(1.0)
    first = await anext(reading)
    feed.offer(Chunk("again"))
    second = await anext(reading)

    assert (first, second, feed.dropped) == (large, Chunk("again"), 1)


@pytest.mark.parametrize("depth", [1, 900])
def test_a_tools_input_that_cannot_be_shown_is_left_out(depth: int) -> None:
    given: dict[str, object] = {"content": "x" * 1_000_000 if depth == 1 else ""}
    for _level in range(depth):
        given = {"below": given}
    for _level in range(depth):
        given = {"below": given}
    message = sdk.AssistantMessage(
        content=[sdk.ToolUseBlock("1", "Write", given)], model="m"
    )

    tool, _said = translate(message)

    assert isinstance(tool, ToolUse)
    assert list(tool.input) == ["omitted"]
