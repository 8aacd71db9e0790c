# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""What is on the agents' disks: work, wherever it was saved, and what is left over."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from forge.stand_in import git


@dataclass(frozen=True)
class Disk:
    """The clones and worktrees of one agent."""

    workdirs: Path

    def clones(self) -> Iterator[Path]:
        """Yield each clone."""
        yield from self.workdirs.glob("*/repos/*/*")

    def trees(self) -> list[Path]:
        """Return the worktrees."""
        return [one for one in self.workdirs.glob("*/worktrees/*") if one.is_dir()]

    def words(self) -> set[str]:
        """Return the words of all work: in trees, on branches, and saved aside."""
        found = {path.stem for path in self.workdirs.rglob("q*.txt")}
        for clone in self.clones():
            refs = git(clone, "for-each-ref", "--format=%(refname)").split()
            for ref in refs:
                found |= words_of(clone, ref)
        return found

    def problems(self) -> Iterator[str]:
        """Yield what git says is wrong in the clones."""
        for clone in self.clones():
            done = subprocess.run(
                ["git", "-C", str(clone), "fsck", "--no-dangling", "--no-progress"],
                capture_output=True,
                text=True,
                check=False,
            )
            if done.returncode != 0:
                yield f"{clone}: {done.stdout}{done.stderr}"

    def dangling(self) -> Iterator[str]:
        """Yield the worktrees that git knows of and that are not there."""
        for clone in self.clones():
            told = git(clone, "worktree", "list", "--porcelain").splitlines()
            for line in told:
                path = Path(line.removeprefix("worktree "))
                if line.startswith("worktree ") and not path.is_dir():
                    yield str(path)


def words_of(repository: Path, ref: str) -> set[str]:
    """Return the words of the work that a commit has."""
    names = git(repository, "ls-tree", "-r", "--name-only", ref).split()
    return {Path(name).stem for name in names if name.startswith("q")}
