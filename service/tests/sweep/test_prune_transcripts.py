# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Old transcripts: listed and removed with all of their session, never in use."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from agentd.spawner.dial import CallFailed
from agentd.transcripts import prune
from agentd.transcripts.find import Places

from .old_files import DAY, OldFiles, age, held_open, session


@pytest.fixture
def side(tmp_path: Path) -> OldFiles:
    """An agent that has no file yet."""
    return OldFiles(tmp_path)


async def test_a_session_goes_with_its_directory_and_what_was_kept_beside(
    side: OldFiles,
) -> None:
    # I09: the transcript and the sibling directory.
    file = side.put_session(1, days=31)
    side.put(f"projects/p/{session(1)}.18f2.damaged", days=31)
    side.put(f"session-env/{session(1)}/x", days=31)
    other = side.put_session(2, days=29)

    listed = await side.listed(days=30)
    answer = await side.remove(listed)

    assert [one["session_id"] for one in listed] == [session(1)]
    assert answer == {"removed": [session(1)], "kept": [], "bytes": 9}
    assert listed[0]["bytes"] == 9
    assert sorted(one.name for one in file.parent.iterdir()) == [
        session(2),
        f"{session(2)}.jsonl",
    ]
    assert other.is_file()
    assert list((side.config / "session-env").iterdir()) == []


async def test_a_shorter_time_is_heeded(side: OldFiles) -> None:
    # I09: the time is wired.
    side.put_session(1, days=2)

    assert await side.listed(days=30) == []
    assert len(await side.listed(days=1)) == 1


async def test_without_projects_there_is_nothing_to_list_or_remove(
    side: OldFiles,
) -> None:
    # I11
    wanted = [{"session_id": session(1), "modified_at": 5.0}]

    assert await side.listed() == []
    assert await side.remove(wanted) == {
        "removed": [],
        "kept": [session(1)],
        "bytes": 0,
    }


async def test_a_dry_run_removes_nothing_and_tells_the_same(side: OldFiles) -> None:
    # I08
    file = side.put_session(1, days=40)
    side.put(f"tasks/{session(1)}/1.json", days=40)
    listed = await side.listed()

    dry = await side.remove(listed, dry_run=True)

    assert file.is_file()
    assert (side.config / "tasks" / session(1)).is_dir()
    assert dry == await side.remove(listed)
    assert not file.exists()


async def test_what_was_written_since_it_was_listed_stays(side: OldFiles) -> None:
    # I12
    file = side.put_session(1, days=40)
    below = side.put_session(2, days=40).with_suffix("") / "subagents"
    listed = await side.listed()
    file.write_bytes(b"more")
    (below / "agent-1.jsonl").write_bytes(b"more")

    answer = await side.remove(listed)

    assert answer["kept"] == [session(1), session(2)]
    assert file.read_bytes() == b"more"


async def test_what_a_cli_runs_in_or_holds_open_stays(side: OldFiles) -> None:
    # I12
    file = side.put_session(1, days=40)
    side.running.add(session(1))
    listed = await side.listed()

    assert (await side.remove(listed))["kept"] == [session(1)]
    side.running.clear()
    with held_open(file):
        assert (await side.remove(listed))["kept"] == [session(1)]
    assert (await side.remove(listed))["removed"] == [session(1)]


def test_whoever_writes_in_the_last_moment_keeps_the_session(tmp_path: Path) -> None:
    # I12: all of it is put back.
    side = OldFiles(tmp_path)
    file = side.put_session(1, days=40)
    places = Places(side.config, tmp_path)
    names = prune.names_of(places, [session(1)])[session(1)]
    was = prune.list_old(places, os.stat(file).st_mtime + DAY, None, 5).sessions[0]

    def write_first(deed: object) -> None:
        age(file, 39)
        assert callable(deed)
        deed()

    with pytest.raises(prune.InUse):
        prune.remove_session(
            prune.Removal(places, frozenset()), was, names, write_first
        )

    assert sorted(os.listdir(file.parent)) == [session(1), f"{session(1)}.jsonl"]


async def test_copies_in_other_projects_count_and_go_together(side: OldFiles) -> None:
    old = [side.put_session(1, days=40, project=f"p{one}") for one in range(2)]
    side.put_session(2, days=40, project="p0")
    new = side.put_session(2, days=1, project="p1")

    listed = await side.listed()
    await side.remove(listed)

    assert [one["session_id"] for one in listed] == [session(1)]
    assert not any(one.exists() for one in old)
    assert new.is_file()


@pytest.mark.parametrize("limit", [1, 2, 7, 50])
async def test_all_pages_together_list_each_old_session_once(
    side: OldFiles, limit: int
) -> None:
    for number in range(1, 21):
        side.put_session(number, days=40 if number % 3 else 1, project=f"p{number % 4}")
    found: list[object] = []
    after: object = None
    while True:
        page = await side.call(
            "list_old_transcripts",
            older_than_seconds=DAY * 30,
            after=after,
            limit=limit,
        )
        sessions = page["sessions"]
        assert isinstance(sessions, list)
        found += [one["session_id"] for one in sessions]
        after = page["next"]
        if not page["more"]:
            break

    assert found == [session(number) for number in range(1, 21) if number % 3]


async def test_a_link_s_target_stays(side: OldFiles, tmp_path: Path) -> None:
    target = tmp_path / "precious"
    target.mkdir()
    (target / "file").write_text("x")
    side.put_session(1, days=40)
    link = side.config / "projects" / "p" / session(1) / "link"
    link.symlink_to(target)
    (side.config / "projects" / "away").symlink_to(target)
    then = os.stat(side.config / "projects" / "p" / f"{session(1)}.jsonl").st_mtime
    os.utime(link, (then, then), follow_symlinks=False)
    age(link.parent, 40)

    answer = await side.remove(await side.listed())

    assert answer["removed"] == [session(1)]
    assert (target / "file").read_text() == "x"


async def test_what_a_killed_removal_took_away_is_removed_by_the_next_run(
    side: OldFiles,
) -> None:
    left = side.put(f"projects/p/.{session(1)}.jsonl.18f2a.pruned", days=0)
    whole = side.put(f"projects/p/.{session(1)}.18f2a.pruned/subagents/a", days=0)
    other = side.put("projects/p/.notes.pruned", days=0)

    dry = await side.call("prune_files", older_than_seconds={}, dry_run=True)
    answer = await side.call("prune_files", older_than_seconds={})

    assert (dry["left_bytes"], answer["left_bytes"]) == (0, 6)
    assert not left.exists()
    assert not whole.parents[1].exists()
    assert other.exists()


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("list_old_transcripts", {}),
        ("list_old_transcripts", {"older_than_seconds": 0}),
        ("list_old_transcripts", {"older_than_seconds": float("nan")}),
        ("list_old_transcripts", {"older_than_seconds": True}),
        ("list_old_transcripts", {"older_than_seconds": 5, "after": "../x"}),
        ("list_old_transcripts", {"older_than_seconds": 5, "limit": 0}),
        ("remove_transcripts", {}),
        ("remove_transcripts", {"sessions": ["x"]}),
        ("remove_transcripts", {"sessions": [{"session_id": "../x"}]}),
        ("remove_transcripts", {"sessions": [{"session_id": session(1)}]}),
        ("remove_transcripts", {"sessions": [{}] * 101}),
        ("remove_transcripts", {"sessions": [], "dry_run": "no"}),
        ("prune_files", {"older_than_seconds": {"../x": 5}}),
        ("prune_files", {"older_than_seconds": {"debug": "x"}}),
        ("prune_files", {"older_than_seconds": 5}),
    ],
)
async def test_what_is_not_asked_for_rightly_is_refused(
    side: OldFiles, name: str, given: dict[str, object]
) -> None:
    with pytest.raises(CallFailed):
        await side.call(name, **given)
