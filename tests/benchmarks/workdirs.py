# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""A work directory on a repository that is known, beside ``git clone`` of it.

The repository has 50,000 commits, and is reached as an agent reaches it: through the
relay and the gateway, which adds the token. Who is first takes turns.
"""

from __future__ import annotations

import asyncio
import io
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from statistics import median

from record import ROOT, write_record

from agentd.agent import command
from agentd.agent.log import Log
from agentd.agent.settings import AgentSettings
from agentd.agent.workdir_calls import WorkdirCalls
from agentd.workdirs.locks import TreeLocks
from agentd.workdirs.places import places_of

sys.path.insert(0, str(ROOT / "service" / "tests"))

from forge.stand_in import Forge, new_forge, remove
from forge.through_gateway import Reached, through_gateway

COMMITS = 50_000
FILES = 400
LINES = 100
ROUNDS = 7
NAME = "team/shop"
AIM = 20


def history() -> Iterator[bytes]:
    """Yield what makes git a repository of many commits in one go.

    Every file has some kilobytes; each commit changes two lines of one.
    """
    chance = random.Random(COMMITS)
    files = [
        [f"    {chance.getrandbits(160):040x}\n" for _line in range(LINES)]
        for _file in range(FILES)
    ]
    for number in range(COMMITS):
        index = number % FILES if number < FILES else chance.randrange(FILES)
        for _line in range(2):
            files[index][chance.randrange(LINES)] = f"    {chance.random()!r}\n"
        path = f"part{index % 20}/file{index}.txt"
        text = "".join(files[index]).encode()
        said = f"Change {path}, for the {number}th time\n".encode()
        when = 1_600_000_000 + number
        yield b"commit refs/heads/main\n"
        yield b"committer Somebody <s@example.org> %d +0000\n" % when
        yield b"data %d\n%s" % (len(said), said)
        yield b"M 100644 inline %s\ndata %d\n%s\n" % (path.encode(), len(text), text)


def make(forge: Forge) -> Path:
    """Return the repository, packed as a forge keeps it."""
    path = forge.new_repository(NAME)
    words = ["git", "-C", str(path), "fast-import", "--quiet", "--force"]
    with subprocess.Popen(words, stdin=subprocess.PIPE) as process:
        assert process.stdin is not None
        process.stdin.writelines(history())
    assert process.returncode == 0, "the repository was not made"
    for more in (["repack", "-adq"], ["commit-graph", "write", "--reachable"]):
        subprocess.run(["git", "-C", str(path), *more], check=True)
    return path


class Agent:
    """An agent's side with work directories, and git as its CLI has it."""

    def __init__(self, directory: Path, reached: Reached) -> None:
        root = directory / "workdirs"
        root.mkdir()
        self.directory = directory
        self.url = reached.url(NAME)
        self.settings = AgentSettings(
            component="agent",
            deployment="bench",
            agent="main",
            workdirs_directory=str(root),
            home_directory=str(directory),
            relay_port=reached.ports["main"],
        )
        places = places_of(self.settings)
        locks = TreeLocks(lambda _tree: False)
        log = Log("main", "error", io.StringIO())
        self.calls = WorkdirCalls(self.settings, log, locks, places)

    async def dispatch(self, branch: str) -> float:
        """Return the seconds until a turn has its work directory."""
        given = {"repository": f"forge:{NAME}", "branch": branch, "holder": "bench"}
        began = time.perf_counter()
        acquired = await self.calls.acquire(given)
        taken = time.perf_counter() - began
        assert acquired["fetched"], acquired["notices"]
        place = Path(str(acquired["path"]), "part0", "file0.txt")
        assert await asyncio.to_thread(place.exists)
        await self.calls.release(given)
        return taken

    async def clone(self, label: str) -> float:
        """Return the seconds that a clone takes."""
        target = self.directory / f"clone-{label}"
        words = ["git", "clone", "--quiet", self.url, str(target)]
        environment = command.own_git_environment(self.settings)
        began = time.perf_counter()
        process = await asyncio.create_subprocess_exec(*words, env=environment)
        assert await process.wait() == 0, "git clone failed"
        taken = time.perf_counter() - began
        await asyncio.to_thread(shutil.rmtree, target)
        return taken


@asynccontextmanager
async def agent(forge: Forge) -> AsyncIterator[Agent]:
    """Yield an agent's side that reaches the forge."""
    with tempfile.TemporaryDirectory(prefix="ak-", dir="/tmp") as place:
        directory = Path(place)
        forges = {"forge": forge.settings()}
        async with through_gateway(directory, forges) as reached:
            yield Agent(directory, reached)


async def measure(forge: Forge) -> dict[str, list[float]]:
    """Return the samples by name, in seconds."""
    samples: dict[str, list[float]] = {
        name: [] for name in ("first_use", "new_branch", "same_branch", "git_clone")
    }
    async with agent(forge) as side:
        samples["first_use"].append(await side.dispatch("first"))
        for number in range(ROUNDS):
            if number % 2:
                samples["git_clone"].append(await side.clone(f"{number}"))
            # Somebody pushed since: there is something to fetch, as between two events.
            forge.commit(NAME, f"Round {number}", ROUND=f"{number}\n")
            samples["new_branch"].append(await side.dispatch(f"issue-{number}"))
            samples["same_branch"].append(await side.dispatch("first"))
            if not number % 2:
                samples["git_clone"].append(await side.clone(f"{number}"))
    return samples


def main() -> int:
    """Measure, print and record; return whether the aim is missed."""
    forge = new_forge()
    try:
        path = make(forge)
        samples = asyncio.run(measure(forge))
        count = ["git", "-C", str(path), "rev-list", "--count", "main"]
        commits = int(subprocess.check_output(count))
        size = sum(one.stat().st_size for one in path.rglob("*") if one.is_file())
    finally:
        remove(forge)
    medians = {name: median(values) for name, values in samples.items()}
    times = {
        name: round(medians["git_clone"] / medians[name], 1)
        for name in ("new_branch", "same_branch")
    }
    for name, seconds in medians.items():
        print(f"{name:12} {seconds:8.3f} s  {times.get(name, '')}")
    print(f"aim: same_branch {AIM} times as fast as git clone")
    facts = {"commits": commits, "repository_bytes": size, "times_faster": times}
    write_record("workdirs", samples, facts=facts)
    return int(times["same_branch"] < AIM)


if __name__ == "__main__":
    sys.exit(main())
