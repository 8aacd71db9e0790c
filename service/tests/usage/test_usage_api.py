# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""GET /usage and what is kept over time (I17)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from control.running_app import Parts, control

from agentd.clock import Clock
from agentd.database.usage import add_samples, count_samples
from agentd.samples.reading import MOST, read_usage
from agentd.samples.thinning import DAY, HOUR, surplus
from agentd.samples.values import Amount
from agentd.usage.areas import AREAS

from .test_usage_limits import GB, Agents, parts_of

NOW = 1_800_000_000.0


class Hours:
    """A clock that goes on by an hour when it is told to."""

    def __init__(self) -> None:
        self.now = NOW

    def pass_by(self, hours: float) -> None:
        """Let time go by."""
        self.now += hours * HOUR

    def clock(self) -> Clock:
        """Return the clock."""
        return Clock(now=lambda: self.now)


def test_an_answer_of_any_shape_is_read_within_bounds() -> None:
    hostile: list[dict[str, Any]] = [
        {},
        {"areas": [], "seconds": "x", "whole": 1, "problems": "no"},
        {"areas": {"memory": 5, "caches": {"bytes": -5, "files": True}}},
        {"areas": {"memory": {"bytes": 10**400, "files": 1.5}, "x" * 9999: {}}},
        {"problems": ["\x1b[2J" * 5000] * 500, "seconds": 1e308},
    ]

    found = [read_usage(answer, NOW) for answer in hostile]

    assert all(set(one.areas) == set(AREAS) for one in found)
    assert found[2].areas["caches"] == Amount(0, 0)
    assert found[3].areas["memory"] == Amount(MOST, 0)
    assert len(found[4].problems) == 12
    assert all(problem.isprintable() for problem in found[4].problems)
    assert found[4].seconds == 1e6


def test_the_older_samples_are_the_fewer_are_kept() -> None:
    """I13: what is kept over time is bounded."""
    times = [NOW - 120 * DAY + 600.0 * n for n in range(120 * 144)]

    gone = set(surplus(times, NOW, 90))

    kept = [at for at in times if at not in gone]
    assert min(kept) >= NOW - 90 * DAY
    assert len([at for at in kept if at >= NOW - DAY]) == 144
    assert len(kept) in range(750, 775)
    assert surplus(kept, NOW, 90) == []
    assert set(surplus(kept, NOW + HOUR, 90)) < set(kept)


async def test_usage_tells_each_agent_by_area_and_the_deployment(
    tmp_path: Path,
) -> None:
    """I17: total, areas and numbers of files; the database and definitions too."""
    (tmp_path / "definitions").mkdir()
    (tmp_path / "definitions/one").write_bytes(b"x" * 1234)
    parts = parts_of(Agents())
    parts.settings["definitions_directory"] = str(tmp_path / "definitions")
    async with control(tmp_path, parts) as running:
        shown = (await running.client.get("/usage")).json()
        size = sum(one.stat().st_size for one in tmp_path.glob("agentd.db*"))

    (agent,) = shown["agents"]
    own = shown["deployment"]["areas"]
    assert agent["areas"]["caches"] == {"bytes": GB, "files": 2}
    assert (agent["bytes"], agent["files"], agent["level"]) == (GB, 2, "ok")
    assert own["definitions"]["files"] >= 1
    assert own["definitions"]["bytes"] >= 1234
    assert own["database"]["bytes"] == pytest.approx(size, rel=0.01)
    assert shown["bytes"] == agent["bytes"] + shown["deployment"]["bytes"]
    assert shown["problems"] == []


async def test_what_was_counted_a_moment_ago_is_not_counted_again(
    tmp_path: Path,
) -> None:
    spawner = Agents()
    async with control(tmp_path, parts_of(spawner)) as running:
        for asked in ("/usage", "/usage", "/usage?max_age_seconds=0"):
            assert (await running.client.get(asked)).status_code == 200

    assert spawner.counted == ["main", "main"]


async def test_an_agent_that_is_away_is_told_as_it_was_seen_last(
    tmp_path: Path,
) -> None:
    spawner = Agents(connected={"main": True, "mail": False})
    async with control(tmp_path, parts_of(spawner)) as running:
        before = (await running.client.get("/usage")).json()
        spawner.connected["main"] = False
        after = (await running.client.get("/usage?max_age_seconds=0")).json()

    assert after["agents"][0] == before["agents"][0]
    assert after["agents"][1]["level"] == "unknown"
    assert after["agents"][1]["at"] is None
    assert "is not connected" in after["problems"][0]


async def test_samples_are_kept_for_plots_and_pruned(tmp_path: Path) -> None:
    """I17: usage over time, bounded."""
    spawner, hours = Agents(), Hours()
    parts = parts_of(spawner, sample_minutes=60, sample_days=2)
    parts.clock = hours.clock()
    async with control(tmp_path, parts) as running:
        for number in range(72):
            spawner.taken["main"] = number
            await running.service.usage.sample()
            hours.pass_by(1)
        asked = "/usage/samples?agent=main&area=caches"
        day = (await running.client.get(asked)).json()
        since = "&since=2020-01-01T00:00:00Z"
        all_kept = (await running.client.get(asked + since)).json()
        page = (await running.client.get(asked + since + "&limit=5")).json()
        other = (await running.client.get(asked + "&host=other")).json()
        own = (await running.client.get("/usage/samples?agent=")).json()

    assert [one["bytes"] for one in day["samples"]] == list(range(48, 72))
    assert [one["bytes"] for one in all_kept["samples"]] == list(range(23, 72))
    assert (len(page["samples"]), page["more"]) == (5, True)
    assert other["samples"] == []
    assert {one["area"] for one in own["samples"]} == {"database", "definitions"}
    assert own["samples"][0]["agent"] is None


async def test_without_an_interval_nothing_is_kept(tmp_path: Path) -> None:
    async with control(tmp_path, parts_of(Agents())) as running:
        await running.service.usage.sample()
        kept = await running.service.database.do(count_samples)

    assert kept == 0


async def test_a_time_without_an_offset_is_refused(tmp_path: Path) -> None:
    async with control(tmp_path, Parts(spawner=Agents())) as running:
        refused = await running.client.get("/usage/samples?since=2026-03-02T09:30:00")
        wrong = await running.client.get("/usage?max_age_seconds=-1")

    assert (refused.status_code, wrong.status_code) == (400, 400)
    assert refused.json()["problems"][0]["problem"] == "Input should have timezone info"


async def test_metrics_show_what_was_seen_last(tmp_path: Path) -> None:
    async with control(tmp_path, parts_of(Agents())) as running:
        await running.client.get("/usage")
        figures = (await running.client.get("/metrics")).text

    assert 'agentd_usage_bytes{agent="main",area="caches"} 1e+09' in figures
    assert 'agentd_usage_bytes{agent="",area="database"}' in figures


async def test_two_hosts_keep_samples_of_the_same_moment(tmp_path: Path) -> None:
    rows = [(NOW, host, "main", "memory", 5, 1) for host in ("first", "second")]
    async with control(tmp_path, parts_of(Agents())) as running:
        for _unused in range(2):
            await running.service.database.do(lambda c: add_samples(c, rows))
        kept = await running.service.database.do(count_samples)

    assert kept == 2
