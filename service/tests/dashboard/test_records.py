# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""What playbooks tell of backups and drills is kept, the later of two runs."""

from __future__ import annotations

from pathlib import Path

from control.running_app import control

EARLY, LATE = "2026-03-01T03:00:00Z", "2026-03-02T03:00:00Z"


async def test_the_last_run_is_kept_with_when_one_last_went_well(
    tmp_path: Path,
) -> None:
    async with control(tmp_path) as running:
        put = running.client.put
        await put("/records/backup", json={"succeeded": True, "at": EARLY})
        failed = await put(
            "/records/backup",
            json={"succeeded": False, "at": LATE, "detail": {"error": "disk full"}},
        )
        listed = (await running.client.get("/records")).json()["records"]

    assert failed.status_code == 200
    assert failed.json()["succeeded_at"] == "2026-03-01T03:00:00.000Z"
    assert listed == [failed.json()]
    assert listed[0]["detail"] == {"error": "disk full"}


async def test_an_older_run_that_is_told_late_does_not_take_the_place(
    tmp_path: Path,
) -> None:
    async with control(tmp_path) as running:
        put = running.client.put
        await put("/records/drill", json={"succeeded": True, "at": LATE})
        late = await put("/records/drill", json={"succeeded": False, "at": EARLY})

    assert late.json()["succeeded"] is True
    assert late.json()["at"] == "2026-03-02T03:00:00.000Z"


async def test_details_are_bounded(tmp_path: Path) -> None:
    many = {f"key{number}": "x" * 900 for number in range(20)}
    async with control(tmp_path) as running:
        refused = await running.client.put(
            "/records/backup", json={"succeeded": True, "detail": many}
        )
        listed = (await running.client.get("/records")).json()

    assert refused.status_code == 400
    assert "8000" in refused.json()["error"]
    assert listed == {"records": []}
