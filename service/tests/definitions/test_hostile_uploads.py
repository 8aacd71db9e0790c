# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Uploads that are valid JSON and would harm: too deep, too many, at the same time."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from control.running_app import control

from agentd.api.uploads import read_upload
from agentd.definitions.values import UploadLimits
from agentd.errors import UploadTooLarge
from definitions.test_registry_api import AGENTS, parts


async def test_files_that_are_changed_at_the_same_time_are_all_there(
    tmp_path: Path,
) -> None:
    """P04: what was answered as stored is stored."""
    names = [f"part-{number}" for number in range(12)]
    async with control(tmp_path, parts(tmp_path)) as running:
        client = running.client
        sent = {"name": "reviewer", "files": {"CLAUDE.md": "You review."}}
        await client.post(f"{AGENTS}/upload", json=sent)

        answers = await asyncio.gather(
            *(
                client.put(
                    f"{AGENTS}/reviewer/content",
                    params={"path": name},
                    json={"content": name},
                )
                for name in names
            )
        )
        held = (await client.get(f"{AGENTS}/reviewer")).json()["paths"]

    assert {answer.status_code for answer in answers} == {200}
    assert {one["path"] for one in held} == {"CLAUDE.md", *names}


async def test_more_directories_than_can_be_read_again_are_not_taken(
    tmp_path: Path,
) -> None:
    """P04, P05: what nobody could use leaves nothing."""
    files = {
        "/".join(f"{number}-{depth}" for depth in range(15)) + "/a": "x"
        for number in range(400)
    }
    async with control(tmp_path, parts(tmp_path)) as running:
        sent = {"name": "deep", "files": {"CLAUDE.md": "x", **files}}
        answer = await running.client.post(f"{AGENTS}/upload", json=sent)
        listed = (await running.client.get(AGENTS)).json()["agents"]

    assert answer.status_code == 413, answer.text
    assert "6401 files and directories" in answer.json()["error"]
    assert [one["name"] for one in listed] == ["shipped"]


async def test_an_upload_of_very_many_small_files_does_not_stop_the_others() -> None:
    """J13, P05: it is refused, and others are answered meanwhile."""
    body = b'{"name":"a","files":{%s}}' % b",".join(
        b'"%d":{}' % number for number in range(150_000)
    )
    reading = asyncio.ensure_future(
        read_upload(_Request(body), UploadLimits(10_000_000, 500))  # type: ignore[arg-type]
    )
    turns = 0
    while not reading.done():
        await asyncio.sleep(0.001)
        turns += 1

    with pytest.raises(UploadTooLarge, match="more than 500 files"):
        await reading
    assert turns > 2


class _Request:
    """A request that was read already."""

    def __init__(self, body: bytes) -> None:
        self._body = body
        self.headers = {"content-type": "application/json"}

    async def body(self) -> bytes:
        return self._body
