# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""Credentials under load and under SIGKILL: the old ones or the new, never half."""

from __future__ import annotations

import asyncio
import json
import os
import random
import subprocess
import sys
import time
from pathlib import Path

from models import KEY, client, control, gateway, model, said
from test_gateway_credentials import places, put

import agentd
from agentd.credentials.kept import clear_drafts, read_kept

KILLS = 25
WRITER = """
import itertools, pathlib, sys
from agentd.credentials.kept import keep
place = pathlib.Path(sys.argv[1])
for number in itertools.count():
    keep(place, "uploaded.json", bytes([97 + number % 26]) * 20_000)
    if number == 0:
        print("begun", flush=True)
"""


def test_a_kill_in_the_middle_of_a_write_leaves_one_or_the_other(
    tmp_path: Path,
) -> None:
    """P09: whole, its owner's alone, and without what was begun."""
    chance = random.Random(5)
    drafts = 0
    for _unused in range(KILLS):
        writer = subprocess.Popen(
            [sys.executable, "-S", "-c", WRITER, str(tmp_path)],
            env={"PYTHONPATH": str(Path(agentd.__file__).parents[1])},
            stdout=subprocess.PIPE,
        )
        assert writer.stdout is not None and writer.stdout.readline() == b"begun\n"
        time.sleep(chance.uniform(0, 0.02))
        writer.kill()
        writer.communicate()
        drafts += len(os.listdir(tmp_path)) - 1

        clear_drafts(tmp_path, "uploaded.json")
        content = read_kept(tmp_path, "uploaded.json", 20_000)

        assert content is not None
        assert (len(content), len(set(content))) == (20_000, 1)
        assert os.listdir(tmp_path) == ["uploaded.json"]
        assert os.stat(tmp_path / "uploaded.json").st_mode & 0o777 == 0o600
    print(f"{KILLS} kills, {drafts} of them in the middle of a write")


async def test_keys_are_changed_under_load_and_no_request_is_lost(
    short_path: Path,
) -> None:
    """What was acknowledged is used by each request that comes after it."""
    keys = [f"sk-ant-api03-number-{number:02}" for number in range(20)]
    answered: list[int] = []
    async with (
        model() as upstream,
        gateway(short_path, upstream.url, **places(short_path)) as stack,
        client(stack) as main,
        control(stack) as asking,
    ):
        changing = True

        async def ask() -> None:
            while changing:
                answer = await main.post("/v1/messages", json=said("Hi"))
                answered.append(answer.status_code)

        async with asyncio.TaskGroup() as group:
            for _unused in range(4):
                group.create_task(ask())
            for key in keys:
                assert (await put(asking, {"api_key": key})).status_code == 200
                at = len(upstream.requests)
                await main.post("/v1/messages", json=said(f"after {key}"))
                late = [
                    names["x-api-key"]
                    for _url, names, body in upstream.requests[at:]
                    if key in json.loads(body)["messages"][0]["content"]
                ]
                assert late == [key]
            changing = False
        used = [names["x-api-key"] for _url, names, _body in upstream.requests]

    assert set(answered) == {200}
    assert set(used) <= {KEY, *keys}
