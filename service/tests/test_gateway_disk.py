# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""The gateway's usage on a full disk: counted on, and written when there is room."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import uuid
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from conftest import Stack
from models import client, control, gateway, kept, said, usage_of

pytestmark = [
    pytest.mark.root,
    pytest.mark.skipif(os.geteuid() != 0, reason="needs root, for mounts"),
]
WAIT_SECONDS = 20


@pytest.fixture
def usage(short_path: Path) -> Iterator[Path]:
    """A small file system in the place of the usage directory."""
    place = short_path / "usage"
    place.mkdir()
    size = ("-t", "tmpfs", "-o", "size=256k,mode=0700")
    subprocess.run(["mount", *size, "tmpfs", str(place)], check=True)
    yield place
    subprocess.run(["umount", str(place)], check=True)


async def ask(main: httpx.AsyncClient, count: int) -> None:
    """Ask the model so many times, each for a session of its own."""
    for _unused in range(count):
        hint = {"x-claude-code-session-id": str(uuid.uuid4())}
        body = said("use 5 input tokens, use 1 output tokens")
        answer = await main.post("/v1/messages", json=body, headers=hint)
        assert answer.status_code == 200


async def until_faults(asking: httpx.AsyncClient, *, any_left: bool) -> list[str]:
    """Wait until the status has faults, or has none."""
    async with asyncio.timeout(WAIT_SECONDS):
        while True:
            faults = list((await asking.get("/status")).json()["faults"])
            if bool(faults) == any_left:
                return faults
            await asyncio.sleep(0.05)


async def tokens_after_a_kill(stack: Stack, **settings: object) -> object:
    """Return how many tokens a gateway knows that takes the place of a killed one."""
    await asyncio.sleep(1)
    assert stack.gateway is not None
    os.kill(stack.gateway.pid, signal.SIGKILL)
    stack.gateway.wait()
    await asyncio.to_thread(lambda: stack.start_gateway(**settings))
    usage = (await usage_of(stack))["usage"]
    assert isinstance(usage, dict)
    return usage["tokens"]


async def test_usage_on_a_full_disk_is_written_when_there_is_room(
    short_path: Path, usage: Path
) -> None:
    settings = kept(short_path)
    async with gateway(short_path, "offline", **settings) as stack:
        async with client(stack) as main, control(stack) as asking:
            await ask(main, 1)
            await asyncio.sleep(0.6)
            with (usage / "filling").open("wb", buffering=0) as file:
                try:
                    while True:
                        file.write(b"x" * 4096)
                except OSError:
                    pass
            await ask(main, 60)
            (fault,) = await until_faults(asking, any_left=True)
            (usage / "filling").unlink()
            await until_faults(asking, any_left=False)
        tokens = await tokens_after_a_kill(stack, **settings)
        await asyncio.to_thread(stack.stop)

    assert str(usage) in fault
    assert tokens == 61 * 6
