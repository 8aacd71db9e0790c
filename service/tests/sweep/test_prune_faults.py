# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Old sessions below real faults: kill -9, a read-only mount, a writer in the way."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

import agentd
from agentd.transcripts.find import Places
from agentd.transcripts.prune import MAX_PAGE, clear_taken, list_old

from .old_files import DAY, OldFiles, session

OLD, NEW = 12, 12
REMOVE = """
import sys, time
from pathlib import Path
from agentd.transcripts.find import Places
from agentd.transcripts.prune import Removal, list_old, names_of, remove_session
places = Places(Path(sys.argv[1]), Path(sys.argv[1]).parent)
old = list_old(places, time.time() - 86400 * 30, None, 500).sessions
names = names_of(places, [one.session_id for one in old])
removal = Removal(places, frozenset())
print("begin", flush=True)
for one in old:
    remove_session(removal, one, names[one.session_id], lambda deed: deed())
"""


def remove_all(side: OldFiles) -> subprocess.Popen[bytes]:
    """Begin to remove all old sessions in a process of its own."""
    process = subprocess.Popen(
        [sys.executable, "-c", REMOVE, str(side.config)],
        env={"PYTHONPATH": str(Path(agentd.__file__).parents[1])},
        stdout=subprocess.PIPE,
    )
    assert process.stdout is not None
    process.stdout.readline()
    return process


@pytest.mark.parametrize("seed", range(4))
def test_whatever_a_kill_leaves_is_removed_by_the_next_sweep(
    tmp_path: Path, seed: int
) -> None:
    """I09, I12: with every other session whole."""
    side, moments = OldFiles(tmp_path), random.Random(seed)
    for number in range(OLD):
        side.put_session(number, days=40, project=f"p{number % 3}")
    new = [side.put_session(1000 + number, days=1) for number in range(NEW)]
    places = Places(side.config, tmp_path)

    process = remove_all(side)
    time.sleep(moments.uniform(0, 0.3))
    process.kill()
    process.communicate()
    left = list(side.config.rglob("*"))
    process = remove_all(side)
    process.communicate()
    clear_taken(places)

    assert process.returncode == 0
    assert list_old(places, time.time() - DAY * 30, None, MAX_PAGE).sessions == ()
    files = [path for path in side.config.rglob("*") if path.is_file()]
    assert len(files) == 2 * NEW, left
    assert all(file.read_bytes() == b"{}\n" for file in new)


def mount(*words: str) -> None:
    """Mount, or unmount."""
    subprocess.run(words, check=True)


@pytest.mark.root
@pytest.mark.skipif(os.geteuid() != 0, reason="mounts")
async def test_on_a_read_only_file_system_everything_stays(tmp_path: Path) -> None:
    """I06."""
    side = OldFiles(tmp_path)
    file = side.put_session(1, days=40)
    side.put("debug/old.txt", 9)
    listed = await side.listed()
    place = str(side.config)
    mount("mount", "--bind", place, place)
    try:
        mount("mount", "-o", "remount,ro,bind", place)
        answer = await side.remove(listed)
        pruned = await side.call("prune_files", older_than_seconds={"debug": DAY})
    finally:
        mount("umount", place)

    assert answer["kept"] == [session(1)]
    assert pruned["areas"] == {"debug": {"files": 0, "bytes": 0, "failed": 1}}
    assert sorted(os.listdir(file.parent)) == [session(1), f"{session(1)}.jsonl"]


APPEND = """
import random, sys, time
for line in sys.stdin:
    time.sleep(random.random() / 15)
    with open(line.strip(), "ab") as transcript:
        transcript.write(b"last\\n")
    print("done", flush=True)
"""


def appending() -> subprocess.Popen[bytes]:
    """Start somebody who appends to each file that he is told of, a little later."""
    return subprocess.Popen(
        [sys.executable, "-c", APPEND], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )


async def test_a_session_that_somebody_writes_to_keeps_every_line(
    tmp_path: Path,
) -> None:
    """I12: somebody who appends, as the CLI does, while it is removed."""
    side = OldFiles(tmp_path)
    writer = appending()
    assert writer.stdin is not None and writer.stdout is not None
    with writer:
        for _round in range(40):
            file = side.put_session(1, days=40)
            listed = await side.listed()
            writer.stdin.write(f"{file}\n".encode())
            writer.stdin.flush()
            answer = await side.remove(listed)
            writer.stdout.readline()

            if answer["kept"]:
                assert file.read_bytes() == b"{}\nlast\n"
                assert file.with_suffix("").is_dir()
            else:
                # Whoever came too late has begun a file of his own.
                assert file.read_bytes() == b"last\n"
        writer.communicate()
