# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""Work that is not committed, or on no branch, saved on a branch of its own (H06)."""

from __future__ import annotations

import re
import shutil
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from agentd.workdirs.git import Git
from agentd.workdirs.state import heads, note

RECOVERY = "worktree-recovery"
PUT_BY = ("rebase-merge/autostash", "rebase-apply/autostash", "MERGE_AUTOSTASH")
MESSAGE = "Work of {path} that was saved before it was reset or removed"


@dataclass(frozen=True)
class Saved:
    """The branches where work was saved, if there was any.

    ``put_by`` has what a rebase or a merge that is not finished had put by.
    """

    branch: str | None = None
    put_by: str | None = None

    @property
    def branches(self) -> list[str]:
        """Return all of them."""
        return [one for one in (self.branch, self.put_by) if one is not None]


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
    on_none = bool(head) and not is_on_a_branch(git, tree, head)
    loose = save_commit(git, tree, head) if on_none else None
    put_by = _save_put_by(git, tree)
    if not is_dirty(git, tree):
        return Saved(loose, put_by)
    branch = _name(git, tree, _commit_files(git, tree, head, scratch))
    if loose is not None:
        # It has that commit as a parent.
        git.run(tree, "update-ref", "-d", f"refs/heads/{loose}")
    return Saved(branch, put_by)


def _save_put_by(git: Git, tree: Path) -> str | None:
    """Save what --autostash put by, which is on no branch and in no stash."""
    admin = admin_of(git, tree)
    for name in PUT_BY:
        commit = note(admin / name)
        if re.fullmatch(r"[0-9a-f]{40,64}", commit):
            return save_commit(git, tree, commit)
    return None


def admin_of(git: Git, tree: Path) -> Path:
    """Return git's own directory for a worktree."""
    return Path(git.run(tree, "rev-parse", "--absolute-git-dir").strip())


def _commit_files(git: Git, tree: Path, head: str, scratch: Path) -> str:
    environment = {"GIT_INDEX_FILE": str(scratch)}
    scratch.parent.mkdir(parents=True, exist_ok=True)
    # That of a git that was killed.
    scratch.with_name(f"{scratch.name}.lock").unlink(missing_ok=True)
    try:
        with suppress(FileNotFoundError):
            shutil.copyfile(admin_of(git, tree) / "index", scratch)
        git.run(tree, "add", "--all", environment=environment)
        files = _tree_of(git, tree, environment)
    finally:
        scratch.unlink(missing_ok=True)
    staged = git.ask(tree, "write-tree", "--missing-ok")
    parents = [head] if head else []
    if staged.status == 0 and staged.text.strip() != files and head:
        message = "What was staged of it"
        parents.append(_commit(git, tree, staged.text.strip(), [head], message))
    return _commit(git, tree, files, parents, MESSAGE.format(path=tree))


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
    in_use = set(heads(clone).values())
    now, swept = time.time(), []
    for line in listed.splitlines():
        saved_at, _space, name = line.partition(" ")
        # Who takes saved work up again stands on its branch.
        if now - _seconds(saved_at) < older_than_seconds or f"ref: {name}" in in_use:
            continue
        if dry_run or git.ask(clone, "update-ref", "-d", name).status == 0:
            swept.append(name.removeprefix("refs/heads/"))
    return swept


def _seconds(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0
