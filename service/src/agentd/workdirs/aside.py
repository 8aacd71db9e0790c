# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""A worktree that is kept as a directory, with the repositories that lie within it."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from agentd.workdirs.git import Git, GitFailed
from agentd.workdirs.names import RepositoryName
from agentd.workdirs.places import Places, is_directory, set_aside
from agentd.workdirs.recovery import head_of
from agentd.workdirs.state import look

GITLINK = "160000"


def holds_repositories(git: Git, tree: Path, commit: str) -> bool:
    """Return whether a worktree, saved as that commit, has repositories within.

    No commit of the outer one has what is in them.
    """
    modes = git.run(tree, "ls-tree", "-r", "--format=%(objectmode)", commit)
    return GITLINK in modes and any(
        ".git" in (*names, *files)
        for directory, names, files in os.walk(tree)
        if directory != str(tree)
    )


def put_aside(places: Places, git: Git, repository: RepositoryName, tree: Path) -> Path:
    """Move a worktree to what is recovered, and return where it is now."""
    admin = look(tree, places.clone(repository)).admin
    kept = set_aside(places, repository.forge, tree)
    if admin is not None and is_directory(admin / "modules"):
        # Its submodules are in there: it stays a worktree, of no branch.
        (admin / "gitdir").write_text(f"{kept}/.git\n", encoding="utf-8")
        with suppress(GitFailed):
            _free(git, kept, admin)
    return kept


def _free(git: Git, kept: Path, admin: Path) -> None:
    if head := head_of(git, kept):
        git.run(kept, "update-ref", "--no-deref", "HEAD", head)
    for config in (admin / "modules").rglob("config"):
        # Where the worktree was; without it, the submodule is where it is.
        words = ("config", "--file", str(config), "--unset", "core.worktree")
        git.ask(kept, *words)
