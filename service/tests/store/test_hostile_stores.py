# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""What an agent's side answers of its transcripts is bounded and judged."""

from __future__ import annotations

from typing import Any

import pytest

from agentd.conversations import keeping
from agentd.conversations.keeping import Keeping
from agentd.errors import CallRefused, StoreRefused

from .sides import BINDING, Hostile, piece
from .stores import KEY, Bench, entry, line


@pytest.mark.parametrize("data", ["!!", 7, None])
async def test_a_side_that_answers_what_is_no_piece_is_refused(
    bench: Bench, data: object
) -> None:
    told = {"exists": True, "found": True, "data": data, "size": 9}
    with pytest.raises(CallRefused):
        await Keeping(bench.parts(), Hostile([told])).settle(BINDING)


@pytest.mark.parametrize(
    "answers",
    [
        [piece(b"x" * 10, size=2**62)],
        [piece(line(1), size=500), piece(b"", offset=0, size=500)],
        [piece(b"[" * 300_000 + b"\n", size=300_001)],
    ],
)
async def test_what_cannot_be_stored_is_noted_and_stops_no_turn_at_this_host(
    bench: Bench, answers: list[dict[str, object]]
) -> None:
    kept = Keeping(bench.parts(), Hostile(answers))

    await kept.settle(BINDING)

    assert len(bench.failures) == 1
    assert kept.store(BINDING).gap is not None
    with pytest.raises(StoreRefused):
        await kept.store(BINDING).append(KEY, [entry(2)])


async def test_a_file_without_an_end_is_given_up(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeping, "MAX_ENTRY_BYTES", 10_000)

    class Endless(Hostile):
        async def call(self, *given: Any, **_more: Any) -> dict[str, object]:
            offset = given[2].get("offset", 0)
            return piece(b"x" * 6000, offset=offset, size=2**50)

    kept = Keeping(bench.parts(), Endless([{}]))
    await kept.settle(BINDING)

    assert "too large" in (kept.store(BINDING).gap or "")
