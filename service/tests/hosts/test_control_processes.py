# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Real control processes at hosts with names: killed, stopped and cut off."""

from __future__ import annotations

import asyncio
import json
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
from control.service import ControlProcess

LOST_SECONDS = 3


@dataclass(frozen=True)
class Place:
    """Where a control keeps its files; no agent is there."""

    directory: Path

    @property
    def sockets_directory(self) -> Path:
        return self.directory / "s"


@contextmanager
def process(directory: Path, url: str, host: str) -> Iterator[ControlProcess]:
    """Give a control process that was not started yet."""
    (directory / "s" / "main").mkdir(parents=True, exist_ok=True)
    secret = directory / "database-url"
    secret.write_text(url)
    made = ControlProcess(
        Place(directory),
        settings={
            "host": host,
            "database_url_file": str(secret),
            "worker_lost_seconds": LOST_SECONDS,
            "definitions_directory": str(directory / "definitions"),
        },
    )
    try:
        yield made
    finally:
        made.__exit__()


def serves(control: ControlProcess) -> bool:
    """Return whether control answers."""
    try:
        return control.client.get("/health", timeout=5).status_code == 200
    except httpx.TransportError:
        return False


async def until_it_serves(control: ControlProcess) -> None:
    """Wait until control answers."""
    deadline = time.monotonic() + 60
    while not await asyncio.to_thread(serves, control):
        assert control.process is not None
        assert control.process.poll() is None, control.log()
        assert time.monotonic() < deadline, control.log()
        await asyncio.sleep(0.05)


def events(control: ControlProcess) -> set[str]:
    """Return what control logged."""
    lines = [line for line in control.log().splitlines() if line.startswith("{")]
    return {json.loads(line)["event"] for line in lines}


async def test_a_control_that_was_killed_has_its_name_back_at_once(
    tmp_path: Path, postgres_url: str
) -> None:
    with process(tmp_path, postgres_url, "a") as control:
        for _start in range(2):
            control.launch()
            await until_it_serves(control)
            assert control.process is not None
            control.process.send_signal(signal.SIGKILL)
            control.process.wait(10)

        assert "control_cannot_start" not in events(control)


async def test_a_second_control_of_the_same_name_does_not_start(
    tmp_path: Path, postgres_url: str
) -> None:
    """The first goes on; no password is in what the second says."""
    with (
        process(tmp_path / "one", postgres_url, "a") as first,
        process(tmp_path / "two", postgres_url, "a") as second,
    ):
        first.launch()
        await until_it_serves(first)
        second.launch()
        assert second.process is not None
        status = await asyncio.to_thread(second.process.wait, 60)

        assert status != 0
        assert "set host to a name of its own" in second.log()
        assert serves(first)
    password = postgres_url.split(":")[2].split("@", maxsplit=1)[0]
    assert password not in first.log() + second.log()


async def test_a_control_that_slept_while_another_took_its_name_stops(
    tmp_path: Path, postgres_url: str
) -> None:
    """SIGSTOP for longer than its session may be idle, as on a frozen machine."""
    with (
        process(tmp_path / "one", postgres_url, "a") as first,
        process(tmp_path / "two", postgres_url, "a") as second,
    ):
        first.launch()
        await until_it_serves(first)
        assert first.process is not None
        first.process.send_signal(signal.SIGSTOP)
        try:
            second.launch()
            await until_it_serves(second)
        finally:
            first.process.send_signal(signal.SIGCONT)
        status = await asyncio.to_thread(first.process.wait, 60)

        assert status == 0
        assert "host_name_taken" in events(first)
        assert serves(second)


async def test_the_other_host_goes_on_when_one_does_not_answer(
    tmp_path: Path, postgres_url: str
) -> None:
    with (
        process(tmp_path / "one", postgres_url, "a") as gone,
        process(tmp_path / "two", postgres_url, "b") as other,
    ):
        for one in (gone, other):
            one.launch()
        for one in (gone, other):
            await until_it_serves(one)
        assert gone.process is not None
        gone.process.send_signal(signal.SIGSTOP)

        async with asyncio.timeout(30):
            while "host_lost" not in events(other):
                assert serves(other)
                await asyncio.sleep(0.1)
        gone.process.send_signal(signal.SIGCONT)
