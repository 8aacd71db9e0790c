# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""Real repositories on this disk, and an agent's work directories of them."""

from __future__ import annotations

import os
import subprocess
import tempfile
from dataclasses import replace
from pathlib import Path

from agentd.agent import command
from agentd.agent.settings import AgentSettings
from agentd.workdirs.git import Git
from agentd.workdirs.names import RepositoryName
from agentd.workdirs.places import Places
from agentd.workdirs.steps import Acquired, Wanted
from agentd.workdirs.trees import acquire

SHOP = RepositoryName("forge", "team", "shop")
SECONDS = 60.0
SELF = {
    f"GIT_{who}_{what}": value
    for who in ("AUTHOR", "COMMITTER")
    for what, value in (("NAME", "Somebody"), ("EMAIL", "somebody@example.org"))
}


def git(directory: Path, *words: str, **environment: str) -> str:
    """Run git as a person would; return what it says."""
    done = try_git(directory, *words, **environment)
    assert done.returncode == 0, f"git {words}: {done.stderr}"
    return done.stdout.strip()


def try_git(
    directory: Path, *words: str, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run git as a person would, whatever comes of it."""
    return subprocess.run(
        ["git", *words],
        cwd=directory,
        env={**os.environ, "GIT_CONFIG_GLOBAL": "/dev/null", **SELF, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


class World:
    """A directory of remote repositories, and one of work directories."""

    def __init__(self, directory: Path) -> None:
        self.remotes = directory / "remotes"
        root = directory / "workdirs"
        root.mkdir()
        self.places = Places(root, f"file://{self.remotes}")
        self.settings = AgentSettings(
            component="agent",
            deployment="demo",
            agent="main",
            workdirs_directory=str(root),
            home_directory=str(directory),
        )

    def remote(self, repository: RepositoryName = SHOP) -> Path:
        """Return where the forge keeps a repository."""
        return self.remotes / repository.forge / f"{repository.path}.git"

    def new_repository(self, repository: RepositoryName = SHOP, **files: str) -> Path:
        """Make a repository with one commit on main."""
        path = self.remote(repository)
        path.mkdir(parents=True)
        git(path, "init", "--quiet", "--bare", "--initial-branch=main")
        git(path, "config", "uploadpack.allowFilter", "true")
        git(path, "config", "uploadpack.allowAnySHA1InWant", "true")
        self.push("main", repository, **(files or {"README": "hello\n"}))
        return path

    def push(self, branch: str, repository: RepositoryName = SHOP, **files: str) -> str:
        """Commit files to a branch as somebody else does; return the commit."""
        remote = self.remote(repository)
        with tempfile.TemporaryDirectory() as made:
            work = Path(made)
            git(work, "clone", "--quiet", str(remote), ".")
            known = git(work, "branch", "--remotes", "--list", f"origin/{branch}")
            start = [f"origin/{branch}"] if known else []
            git(work, "checkout", "--quiet", "-B", branch, *start)
            for name, text in files.items():
                (work / name).write_text(text, encoding="utf-8")
            git(work, "add", "--all")
            git(work, "commit", "--quiet", "-m", f"Change {', '.join(files)}")
            git(work, "push", "--quiet", "origin", branch)
            return git(work, "rev-parse", "HEAD")

    def git(self, seconds: float = SECONDS) -> Git:
        """Return a runner as the agent's side has it."""
        return Git(command.own_git_environment(self.settings), seconds)

    def acquire(self, branch: str, wanted: Wanted | None = None) -> Acquired:
        """Acquire the worktree of a branch."""
        wanted = replace(wanted or Wanted(SHOP, branch), branch=branch)
        return acquire(self.places, self.git(), wanted)

    def clone(self, repository: RepositoryName = SHOP) -> Path:
        """Return where the clone lies."""
        return self.places.clone(repository)

    def tree(self, branch: str, repository: RepositoryName = SHOP) -> Path:
        """Return where the worktree of a branch lies."""
        return self.places.tree(repository, branch)

    def is_clean(self, repository: RepositoryName = SHOP) -> bool:
        """Return whether git finds the clone and its worktrees sound and known."""
        clone = self.clone(repository)
        git(clone, "fsck", "--no-dangling", "--no-progress")
        listed = git(clone, "worktree", "list", "--porcelain")
        return "prunable" not in listed
