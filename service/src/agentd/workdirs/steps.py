# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""The steps that make what lies at a worktree's path the worktree of its branch."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from agentd.workdirs.aside import put_aside
from agentd.workdirs.clones import Clone
from agentd.workdirs.forward import go_forward
from agentd.workdirs.git import Git, GitFailed
from agentd.workdirs.names import RepositoryName
from agentd.workdirs.places import Places, remove_directory
from agentd.workdirs.recovery import save_work
from agentd.workdirs.state import UNFINISHED, Step, look, plan

INDEX_START = b"DIRC"
# Git 2.39 makes no worktree without a commit; this one's tree has no file.
NO_FILES = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"


@dataclass(frozen=True)
class Wanted:
    """The worktree that is wanted; ``quiet`` if no CLI runs in it."""

    repository: RepositoryName
    branch: str
    base: str | None = None
    fetch_seconds: float = 0
    quiet: bool = True


@dataclass
class Acquired:
    """A worktree that is ready, and what had to be done for it."""

    path: Path
    created: bool = False
    fetched: bool = False
    healed: bool = False
    recovered: str | None = None
    head: str = ""
    notices: list[str] = field(default_factory=list)

    def for_output(self) -> dict[str, object]:
        """Return what control is told."""
        return {
            "path": str(self.path),
            "created": self.created,
            "fetched": self.fetched,
            "healed": self.healed,
            "recovered": self.recovered,
            "head": self.head,
            "notices": [printable(one)[:1000] for one in self.notices[:20]],
        }


def printable(text: str) -> str:
    """Return a text that may hold any name, made safe to show."""
    return "".join(one if one.isprintable() else "?" for one in text)


@dataclass(frozen=True)
class TreeJob:
    """One worktree that is made ready, with its clone held."""

    places: Places
    git: Git
    wanted: Wanted
    clone: Clone

    @property
    def tree(self) -> Path:
        """Return where the worktree lies."""
        return self.places.tree(self.wanted.repository, self.wanted.branch)

    @property
    def _scratch(self) -> Path:
        """Return a name for drafts that nobody else uses."""
        draft = self.places.draft(self.wanted.repository)
        return draft.with_name(f"{self.tree.name}.index")

    def _step(self) -> Step:
        return plan(look(self.tree, self.clone.path), self.wanted.branch)

    def carry_out(self, result: Acquired) -> None:
        """Take the step that what is there asks for."""
        steps: Mapping[Step, Callable[[Acquired], None]] = {
            "add": self._add,
            "renew": self._renew,
            "set_aside": self._set_aside,
            "reattach": self._reattach,
            "release": self._release,
            "reuse": self._reuse,
        }
        steps[self._step()](result)

    def _add(self, result: Acquired) -> None:
        self._add_at(self.tree, self.wanted.branch, result)
        result.created = True

    def _add_at(
        self, place: Path, head: str, result: Acquired, *, files: bool = True
    ) -> None:
        """Have git make a worktree that stands on a branch, or on a commit."""
        git, path = self.git, self.clone.path
        git.run(path, "worktree", "prune")
        # By force: another worktree may stand on this branch that is not its own; by
        # more of it: what was here before may be locked, and is gone.
        words = ["worktree", "add", "--quiet", "--force", "--force"]
        words += [] if files else ["--no-checkout"]
        if self._has(f"refs/heads/{head}"):
            git.run(path, *words, str(place), head)
        elif head != self.wanted.branch:
            git.run(path, *words, "--detach", str(place), head)
        elif (start := self._start(result)) is not None:
            git.run(path, *words, "--no-track", "-b", head, str(place), start)
        else:
            git.run(path, "hash-object", "-t", "tree", "-w", "/dev/null")
            commit = git.run(path, "commit-tree", NO_FILES, "-m", "Nothing").strip()
            git.run(path, *words, "--detach", str(place), commit)
            git.run(place, "symbolic-ref", "HEAD", f"refs/heads/{head}")

    def _start(self, result: Acquired) -> str | None:
        """Return what a new branch begins at; None in a repository without commits."""
        branch, base = self.wanted.branch, self.wanted.base
        names = [f"refs/remotes/origin/{branch}"]
        if base is not None:
            names.append(f"refs/remotes/origin/{base}")
        found = next((name for name in names if self._has(name)), None)
        if found is None and base is not None:
            result.notices.append(
                f"{self.wanted.repository} has no branch {base}; {branch} begins at "
                "its default branch."
            )
        return found or self._default()

    def _default(self) -> str | None:
        name = "refs/remotes/origin/HEAD"
        if self._has(name):
            return name
        # The default branch was renamed, or had no commit when it was cloned.
        self.git.ask(self.clone.path, "remote", "set-head", "origin", "--auto")
        return name if self._has(name) else None

    def _has(self, name: str) -> bool:
        words = ("rev-parse", "--verify", "--quiet", f"{name}^{{commit}}")
        return self.git.ask(self.clone.path, *words).status == 0

    def _renew(self, result: Acquired) -> None:
        """Make a worktree anew that was killed in the making: nobody worked in it."""
        state = look(self.tree, self.clone.path)
        remove_directory(self.tree)
        if state.admin is not None:
            remove_directory(state.admin)
        self._add(result)

    def _set_aside(self, result: Acquired) -> None:
        kept = put_aside(self.places, self.git, self.wanted.repository, self.tree)
        result.notices.append(f"{self.tree} was no worktree of ours; kept as {kept}.")
        self._add(result)

    def _reattach(self, result: Acquired) -> None:
        """Make a worktree again of files whose clone is another one now (H02)."""
        was_there = self._has(f"refs/heads/{self.wanted.branch}")
        try:
            self._adopt(result)
            if not was_there:
                # Its commits may be gone with the clone; what is left is in its files.
                result.recovered = save_work(self.git, self.tree, self._scratch).branch
        except GitFailed as error:
            if error.given_up:
                raise
            result.notices.append(f"{self.tree} cannot be attached: {error}.")
            self._set_aside(result)
            return
        result.notices.append(f"{self.tree} was attached to its clone again.")
        result.healed = True
        if self._step() == "release":
            self._release(result)

    def attach(self, result: Acquired) -> None:
        """Attach the files if they are of no clone; do nothing else to them."""
        if self._step() == "reattach":
            self._adopt(result)

    def _adopt(self, result: Acquired) -> None:
        """Let git make another worktree, and give its place to the files that are."""
        other = self._scratch.with_name(self.tree.name)
        remove_directory(other)
        other.parent.mkdir(parents=True, exist_ok=True)
        self._add_at(other, self._stood_on(), result, files=False)
        pointer = self.tree / ".git"
        remove_directory(pointer)
        (other / ".git").rename(pointer)
        remove_directory(other)
        self.git.run(self.clone.path, "worktree", "repair", str(self.tree))
        if look(self.tree, self.clone.path).admin is None:
            raise GitFailed("worktree", "git does not take the files for its own")
        self.git.ask(self.tree, "reset", "--quiet")

    def _stood_on(self) -> str:
        """Return what the files were of, if the clone of before could tell."""
        found = self.clone.stood_on.get(str(self.tree), "")
        head = found.removeprefix("ref: refs/heads/")
        name = head if head == found else f"refs/heads/{head}"
        return head if found and self._has(name) else self.wanted.branch

    def _release(self, result: Acquired) -> None:
        """Save what is there, and put the worktree on its branch again (H06)."""
        state = look(self.tree, self.clone.path)
        self._mend_index()
        try:
            saved = save_work(self.git, self.tree, self._scratch)
            result.recovered = next(iter(saved.branches), None)
            result.notices += [f"Work is saved on {one}." for one in saved.branches[1:]]
            self._reset(state.admin)
            self._check_out(result)
        except GitFailed as error:
            if error.given_up:
                raise
            # What cannot be saved, or directories in which nothing may be removed.
            self._set_aside(result)
            return
        was = f"branch {state.branch}" if state.branch else "no branch"
        result.notices.append(
            f"{self.tree} stood on {was}; it is on {self.wanted.branch} again."
        )

    def _reset(self, admin: Path | None) -> None:
        for name in UNFINISHED:
            if admin:
                with suppress(OSError):
                    remove_directory(admin / name)
        self.git.run(self.tree, "reset", "--quiet", "--hard")
        self.git.run(self.tree, "clean", "-d", "--force", "--quiet")

    def _check_out(self, result: Acquired) -> None:
        branch = self.wanted.branch
        words = ["checkout", "--quiet", "--force", "--ignore-other-worktrees"]
        if self._has(f"refs/heads/{branch}"):
            self.git.run(self.tree, *words, branch, "--")
            return
        start = self._start(result)
        if start is None:
            self.git.run(self.tree, "symbolic-ref", "HEAD", f"refs/heads/{branch}")
            return
        self.git.run(self.tree, *words, "--no-track", "-b", branch, start, "--")

    def _reuse(self, result: Acquired) -> None:
        self._mend_index()
        state, branch = look(self.tree, self.clone.path), self.wanted.branch
        if state.branch != branch:
            result.notices.append(f"A rebase of {branch} is not finished.")
            return
        result.notices += go_forward(self.git, self.tree, branch)

    def _mend_index(self) -> None:
        """Remove what a killed git left, and an index that is none."""
        admin = look(self.tree, self.clone.path).admin
        if admin is None:
            return
        if self.wanted.quiet:
            for name in ("index.lock", "HEAD.lock"):
                with suppress(OSError):
                    (admin / name).unlink()
        index = admin / "index"
        with suppress(FileNotFoundError), index.open("rb") as file:
            if file.read(len(INDEX_START)) == INDEX_START:
                return
        index.unlink(missing_ok=True)
        self.git.ask(self.tree, "reset", "--quiet")
