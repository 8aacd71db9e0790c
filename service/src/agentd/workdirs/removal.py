# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""Worktrees that are not needed any more: their work is saved, then they go (H05)."""

from __future__ import annotations

import os
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from agentd.workdirs.aside import holds_repositories, put_aside
from agentd.workdirs.clones import is_ready, is_sound
from agentd.workdirs.git import Git, GitFailed
from agentd.workdirs.names import RepositoryName
from agentd.workdirs.places import (
    RECORD,
    Places,
    names_in,
    read_record,
    record_path,
    remove_directory,
)
from agentd.workdirs.recovery import head_of, save_commit, save_work, sweep_branches
from agentd.workdirs.stale import remove_stale_locks
from agentd.workdirs.state import heads, look

# Longer than anything is made for.
DRAFT_SECONDS = 3600.0


@dataclass(frozen=True)
class Removed:
    """Whether there was a worktree, and where its work was saved."""

    removed: bool
    saved: tuple[str, ...] = ()


def remove_tree(
    places: Places, git: Git, repository: RepositoryName, branch: str
) -> Removed:
    """Remove a worktree and its branch, having saved what the forge does not have.

    Raise GitFailed or OSError if it cannot be saved or removed; it is still there.
    """
    tree, clone = places.tree(repository, branch), places.clone(repository)
    record = record_path(tree)
    was_there = os.path.lexists(tree)
    if not was_there and not os.path.lexists(record):
        return Removed(False)
    saved: list[str] = []
    remove_stale_locks(clone, places.started_at)
    if was_there:
        saved += _save(places, git, repository, tree)
    admin = look(tree, clone).admin
    # Moved first: a tree that is half gone would be taken for the agent's doing.
    if os.path.lexists(tree):
        going = places.draft(repository).with_name(f"{tree.name}.{time.time_ns():x}")
        going.parent.mkdir(parents=True, exist_ok=True)
        tree.rename(going)
        remove_directory(going)
    if is_sound(clone):
        if admin is not None:
            # One that its agent has locked is not pruned.
            remove_directory(admin)
        git.run(clone, "worktree", "prune")
        saved += _drop_branch(git, clone, branch)
    remove_directory(record)
    return Removed(was_there, tuple(saved))


def _save(
    places: Places, git: Git, repository: RepositoryName, tree: Path
) -> list[str]:
    scratch = places.draft(repository).with_name(f"{tree.name}.index")
    found: list[str] = []
    keep = True
    if look(tree, places.clone(repository)).admin is not None:
        try:
            saved = save_work(git, tree, scratch)
            found = saved.branches
            commit = saved.branch or head_of(git, tree)
            keep = bool(commit) and holds_repositories(git, tree, commit)
        except GitFailed as error:
            if error.given_up and git.stopped:
                raise
    if keep and (tree.is_symlink() or not tree.is_dir() or os.listdir(tree)):
        found.append(str(put_aside(places, git, repository, tree)))
    return found


def _drop_branch(git: Git, clone: Path, branch: str) -> list[str]:
    name = f"refs/heads/{branch}"
    words = ("rev-parse", "--verify", "--quiet", f"{name}^{{commit}}")
    commit = git.ask(clone, *words).text.strip()
    if not commit or f"ref: {name}" in heads(clone).values():
        return []
    saved = []
    contained = ("rev-list", "--max-count=1", commit, "--not", "--remotes")
    if git.run(clone, *contained).strip() and not _is_saved(git, clone, commit):
        saved.append(save_commit(git, clone, commit))
    git.run(clone, "update-ref", "-d", name, commit)
    git.ask(clone, "config", "--remove-section", f"branch.{branch}")
    return saved


def _is_saved(git: Git, clone: Path, commit: str) -> bool:
    words = ("for-each-ref", "--count=1", f"--contains={commit}")
    return bool(git.run(clone, *words, "refs/heads/worktree-recovery"))


def sweep_directories(
    places: Places, older_than_seconds: float, *, dry_run: bool
) -> list[str]:
    """Remove directories that were set aside longer ago than that; return them."""
    swept, now = [], time.time()
    for forge in places.forges():
        directory = places.recovered(forge)
        for name in sorted(names_in(directory)):
            if now - _moved_at(directory / name) < older_than_seconds:
                continue
            with suppress(OSError):
                if not dry_run:
                    remove_directory(directory / name)
                swept.append(str(directory / name))
    return swept


def sweep_drafts(places: Places, older_than_seconds: float) -> None:
    """Remove what was being made or removed when it was killed."""
    for forge in places.forges():
        drafts = places.root / forge / "drafts"
        for name in names_in(drafts):
            with suppress(OSError):
                if is_ready(drafts / name):
                    # The place of its clone is empty until the next turn.
                    continue
                age = time.time() - (drafts / name).lstat().st_ctime
                if age > max(older_than_seconds, DRAFT_SECONDS):
                    remove_directory(drafts / name)


def _moved_at(path: Path) -> float:
    stamp = path.name.partition("-")[0]
    # A move leaves a directory's own time as it was: its name tells.
    if stamp.isascii() and stamp.isdigit() and len(stamp) < 13:
        return float(stamp)
    with suppress(OSError):
        return path.lstat().st_mtime
    return 0.0


def sweep_clone(git: Git, clone: Path, older: float, *, dry_run: bool) -> list[str]:
    """Delete old branches of saved work in a clone, and pack it if git finds so."""
    if not is_sound(clone):
        return []
    swept = sweep_branches(git, clone, older, dry_run=dry_run)
    if not dry_run:
        # What was set aside with submodules, and is gone since.
        git.ask(clone, "worktree", "prune")
        git.ask(
            clone, "-c", "gc.auto=6700", "-c", "gc.autoDetach=false", "gc", "--auto"
        )
    return swept


def strays(places: Places) -> list[tuple[str, Path]]:
    """Return what lies among a forge's worktrees and is none."""
    return [
        (forge, path)
        for forge in places.forges()
        for name in sorted(names_in(places.trees(forge)))
        if not name.startswith(".")
        and read_record(
            (path := places.trees(forge) / name).with_name(
                name if name.endswith(RECORD) else f"{name}{RECORD}"
            )
        )
        is None
    ]
