# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""Work that is not committed, or on no branch, saved on a branch of its own (H06)."""

from __future__ import annotations

import shutil
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from agentd.workdirs.git import Git

RECOVERY = "worktree-recovery"
MESSAGE = "Work of {path} that was saved before it was reset or removed"


@dataclass(frozen=True)
class Saved:
    """Where work was saved, if there was any; ``rest`` is what git cannot hold."""

    branch: str | None = None
    rest: bool = False


def is_dirty(git: Git, tree: Path) -> bool:
    """Return whether a worktree has work that is not committed."""
    words = ("status", "--porcelain", "--untracked-files=normal", "-z")
    return bool(git.run(tree, *words, "--ignore-submodules=none"))


def head_of(git: Git, tree: Path) -> str:
    """Return the commit that a worktree stands on; empty if there is none."""
    return git.ask(
        tree, "rev-parse", "--verify", "--quiet", "HEAD^{commit}"
    ).text.strip()


def save_work(git: Git, tree: Path, scratch: Path) -> Saved:
    """Save what a worktree has beyond its branches; the worktree stays as it is.

    ``scratch`` is a name for a draft of the index. Raise GitFailed or OSError if
    something cannot be saved.
    """
    head = head_of(git, tree)
    if not is_dirty(git, tree):
        if not head or is_on_a_branch(git, tree, head):
            return Saved()
        return Saved(save_commit(git, tree, head))
    environment = {"GIT_INDEX_FILE": str(scratch)}
    scratch.parent.mkdir(parents=True, exist_ok=True)
    try:
        index = Path(git.run(tree, "rev-parse", "--absolute-git-dir").strip()) / "index"
        with suppress(FileNotFoundError):
            shutil.copyfile(index, scratch)
        git.run(tree, "add", "--all", environment=environment)
        files = _tree_of(git, tree, environment)
        listed = git.run(tree, "ls-files", "--stage", environment=environment)
    finally:
        scratch.unlink(missing_ok=True)
    staged = git.ask(tree, "write-tree", "--missing-ok")
    parents = [head] if head else []
    if staged.status == 0 and staged.text.strip() != files and head:
        message = "What was staged of it"
        parents.append(_commit(git, tree, staged.text.strip(), [head], message))
    commit = _commit(git, tree, files, parents, MESSAGE.format(path=tree))
    rest = any(line.startswith("160000 ") for line in listed.splitlines())
    return Saved(_name(git, tree, commit), rest)


def save_commit(git: Git, directory: Path, commit: str) -> str:
    """Save a commit that no branch will have; return the branch that has it now.

    A commit of our own says since when: it is what ages.
    """
    files = git.run(directory, "rev-parse", f"{commit}^{{tree}}").strip()
    message = MESSAGE.format(path=directory)
    return _name(git, directory, _commit(git, directory, files, [commit], message))


def is_on_a_branch(git: Git, directory: Path, commit: str) -> bool:
    """Return whether a branch or a tag has the commit."""
    words = ("for-each-ref", "--count=1", f"--contains={commit}")
    return bool(git.run(directory, *words, "refs/heads", "refs/remotes", "refs/tags"))


def _tree_of(git: Git, tree: Path, environment: dict[str, str]) -> str:
    return git.run(tree, "write-tree", "--missing-ok", environment=environment).strip()


def _commit(
    git: Git, directory: Path, files: str, parents: list[str], message: str
) -> str:
    words = [word for one in parents for word in ("-p", one)]
    return git.run(directory, "commit-tree", files, *words, "-m", message).strip()


def _name(git: Git, directory: Path, commit: str) -> str:
    branch = f"{RECOVERY}/{commit}"
    git.run(directory, "update-ref", f"refs/heads/{branch}", commit)
    return branch


def sweep_branches(
    git: Git, clone: Path, older_than_seconds: float, *, dry_run: bool
) -> list[str]:
    """Delete what was saved longer ago than that; return the branches."""
    words = ("for-each-ref", "--format=%(committerdate:unix) %(refname)")
    listed = git.run(clone, *words, f"refs/heads/{RECOVERY}/")
    now, swept = time.time(), []
    for line in listed.splitlines():
        saved_at, _, name = line.partition(" ")
        if now - _seconds(saved_at) < older_than_seconds:
            continue
        if dry_run or git.ask(clone, "update-ref", "-d", name).status == 0:
            swept.append(name.removeprefix("refs/heads/"))
    return swept


def _seconds(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0
