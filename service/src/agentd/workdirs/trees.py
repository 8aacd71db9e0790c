# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""A worktree per branch, made once and found again at the same path (H03, H05)."""

from __future__ import annotations

import time
from pathlib import Path

from agentd.workdirs.clones import Clone, is_broken, is_sound, make_clone, ready_clone
from agentd.workdirs.git import Git, GitFailed
from agentd.workdirs.places import (
    Places,
    TreeRecord,
    names_in,
    read_record,
    record_path,
    write_record,
)
from agentd.workdirs.recovery import head_of
from agentd.workdirs.stale import remove_stale_locks
from agentd.workdirs.state import look, plan
from agentd.workdirs.steps import Acquired, TreeJob, Wanted


def acquire(places: Places, git: Git, wanted: Wanted) -> Acquired:
    """Return the worktree, ready to work in; raise CloneFailed, GitFailed or OSError.

    A clone that turns out to be damaged on the way is made anew, once.
    """
    repository = wanted.repository
    remove_stale_locks(places.clone(repository), places.started_at)
    clone = ready_clone(places, git, repository, wanted.fetch_seconds)
    try:
        return _settle(places, git, wanted, clone)
    except GitFailed as error:
        if error.given_up or clone.made or not is_broken(git, clone.path, str(error)):
            raise
    clone = make_clone(places, git, repository)
    return _settle(places, git, wanted, clone)


def as_it_is(places: Places, wanted: Wanted) -> Acquired | None:
    """Return the worktree if it is as it should be, on a look that asks no git."""
    clone = places.clone(wanted.repository)
    tree = places.tree(wanted.repository, wanted.branch)
    reuses = plan(look(tree, clone), wanted.branch) == "reuse"
    return Acquired(tree) if reuses and is_sound(clone) else None


def _settle(places: Places, git: Git, wanted: Wanted, clone: Clone) -> Acquired:
    tree = places.tree(wanted.repository, wanted.branch)
    result = Acquired(
        tree, fetched=clone.fetched, healed=clone.healed, notices=clone.notices
    )
    tree.parent.mkdir(parents=True, exist_ok=True)
    if clone.made:
        _reattach_others(places, git, wanted, clone)
    _note_use(tree, wanted)
    TreeJob(places, git, wanted, clone).carry_out(result)
    result.head = head_of(git, tree)
    if not result.head and (clone.path / ".git/refs/heads" / wanted.branch).exists():
        raise GitFailed("rev-parse", f"the branch {wanted.branch} cannot be read")
    return result


def _note_use(tree: Path, wanted: Wanted) -> None:
    known = read_record(record_path(tree))
    now = time.time()
    created = known.created if known else now
    # Before the worktree itself: what is there without a record would be nobody's.
    write_record(tree, TreeRecord(wanted.repository, wanted.branch, created, now))


def _reattach_others(places: Places, git: Git, wanted: Wanted, clone: Clone) -> None:
    """Attach every worktree of a clone that was made anew; one that fails is told."""
    trees = places.trees(wanted.repository.forge)
    for name in sorted(names_in(trees)):
        record = read_record(trees / name)
        if record is None or record.repository != wanted.repository:
            continue
        if record.branch == wanted.branch:
            continue
        other = Wanted(record.repository, record.branch, quiet=False)
        job = TreeJob(places, git, other, clone)
        result = Acquired(job.tree)
        try:
            job.attach(result)
        except (GitFailed, OSError) as error:
            result.notices.append(f"{job.tree} is not attached yet: {error}.")
        clone.notices += result.notices
