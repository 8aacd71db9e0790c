# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""One clone per repository: made once, fetched after that, and healed when broken."""

from __future__ import annotations

import json
import os
import re
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from agentd.workdirs.git import Git, GitFailed, reason_of
from agentd.workdirs.names import RepositoryName
from agentd.workdirs.places import Places, is_directory, remove_directory, set_aside
from agentd.workdirs.salvage import HEAD, NO_BRANCH, salvage, start_of
from agentd.workdirs.state import heads

FETCHED = "agentkeep-fetched"
MAX_READY_BYTES = 16 * 1024 * 1024
# In a draft that has all that it will have: what the worktrees of before stood on.
READY = "agentkeep-ready"
BRANCHES = "+refs/heads/*:refs/remotes/origin/*"
# What is new and small comes at once: to ask for it later is one more question.
SMALL_FILES = "--filter=blob:limit=65536"
REMOTE = (
    ("fetch", BRANCHES),
    ("promisor", "true"),
    ("partialclonefilter", "blob:none"),
)
SETTINGS = ("gc.autoDetach=false", "push.default=current", "push.autoSetupRemote=true")
# What a server, the way to it or a git beside says; all else may be a damaged clone.
_REMOTE = re.compile(
    r"unable to access|could not resolve|requested URL returned|connection (refused"
    r"|reset|timed out)|could not read from remote|authentication failed|RPC failed"
    r"|hung up|early EOF|repository .* not found|terminal prompts disabled"
    r"|does not appear to be a git repository|failed to connect|remote: "
    r"|cannot lock ref|unable to create '[^']*\.lock'",
    re.IGNORECASE,
)
_DAMAGE = re.compile(
    r"corrupt|bad object|inflate|loose object|not a valid object|packfile|broken"
    r"|invalid (sha1|object)|bad (signature|config|ref)|index file|missing (blob|tree)",
    re.IGNORECASE,
)


class CloneFailed(Exception):
    """A repository cannot be cloned; the text says why."""


@dataclass
class Clone:
    """A clone that may be used, and what had to be done for it."""

    path: Path
    fetched: bool = False
    healed: bool = False
    made: bool = False
    notices: list[str] = field(default_factory=list)
    stood_on: dict[str, str] = field(default_factory=dict)


def is_sound(clone: Path) -> bool:
    """Return whether a clone has what makes a directory one, on a quick look (H02)."""
    git = clone / ".git"
    if not all(map(is_directory, (clone, git, git / "objects", git / "refs"))):
        return False
    return HEAD.fullmatch(start_of(git / "HEAD")) is not None


def is_broken(git: Git, clone: Path, said: str) -> bool:
    """Return whether a clone is damaged, on a look as thorough as what git said asks.

    What the forge can give again is not missed by a check of what leads to what, not
    even in a pack that cannot be read.
    """
    if not is_sound(clone):
        return True
    # To fsck it is an error if the forge's default branch is not there any more.
    default = ("rev-parse", "--verify", "--quiet", "refs/remotes/origin/HEAD")
    if git.ask(clone, *default).status != 0:
        git.ask(clone, "remote", "set-head", "origin", "--delete")
    words = ("fsck", "--no-dangling", "--no-progress")
    if git.ask(clone, *words, "--connectivity-only").status != 0:
        return True
    if not _DAMAGE.search(said):
        return False
    # Old histories have "error in commit …": faulty, and as they should be.
    return any(
        line.startswith(("error: ", "fatal: "))
        for line in git.ask(clone, *words).error.splitlines()
    )


def ready_clone(
    places: Places, git: Git, repository: RepositoryName, fetch_seconds: float
) -> Clone:
    """Return the clone, made or healed if need be, and fetched (H01, H02).

    Raise CloneFailed or GitFailed.
    """
    path = places.clone(repository)
    if not is_sound(path):
        return make_clone(places, git, repository)
    clone = Clone(path)
    url = git.ask(path, "config", "--get", "remote.origin.url")
    if url.status not in (0, 1):
        return make_clone(places, git, repository)
    if url.text.strip() != places.url(repository):
        # Another port of the relay, or an agent that made its own remote of it.
        for name, value in (*REMOTE, ("url", places.url(repository))):
            git.run(path, "config", "--replace-all", f"remote.origin.{name}", value)
    if time.time() - fetched_at(path) > fetch_seconds:
        return fetch(places, git, repository, clone)
    return clone


def fetch(places: Places, git: Git, repository: RepositoryName, clone: Clone) -> Clone:
    """Fetch what is new and prune what is gone; go on without if nobody answers."""
    words = ("fetch", "--prune", "--quiet", "--no-auto-maintenance")
    # Named here: an agent may have its git fetch less.
    output = git.ask(clone.path, *words, SMALL_FILES, "origin", BRANCHES)
    if output.status != 0 and "filter" in output.error:
        output = git.ask(clone.path, *words, "origin", BRANCHES)
    damage = _DAMAGE.search(output.error)
    suspect = damage or (output.status != 0 and not _REMOTE.search(output.error))
    # Git gets from the forge what it misses, and only mutters about a broken pack.
    if suspect and is_broken(git, clone.path, output.error):
        return make_clone(places, git, repository)
    if output.status == 0:
        _note_fetch(clone.path)
        clone.fetched = True
        return clone
    clone.notices.append(
        f"{repository} could not be fetched: {reason_of(output)}. "
        "What was fetched before is used."
    )
    return clone


def fetched_at(clone: Path) -> float:
    """Return when the clone was fetched last; 0 if never."""
    try:
        return (clone / ".git" / FETCHED).lstat().st_mtime
    except OSError:
        return 0.0


def _note_fetch(clone: Path) -> None:
    note = clone / ".git" / FETCHED
    note.touch()
    os.utime(note)


def make_clone(places: Places, git: Git, repository: RepositoryName) -> Clone:
    """Clone a repository beside its place; save what a broken clone has, and swap.

    What was there is kept with what is recovered: killed at any point, this loses
    nothing, and the next one begins again.
    """
    path, draft = places.clone(repository), places.draft(repository)
    if not os.path.lexists(path) and is_sound(draft) and is_ready(draft):
        return fetch(places, git, repository, _finish(path, draft))
    remove_directory(draft)
    draft.parent.mkdir(parents=True, exist_ok=True)
    settings = [word for one in SETTINGS for word in ("-c", one)]
    options = ("--filter=blob:none", "--no-checkout", "--quiet", *settings)
    try:
        git.run(
            draft.parent, "clone", *options, "--", places.url(repository), str(draft)
        )
        _stand_on_nothing(git, draft)
        _note_fetch(draft)
        clone = Clone(path, fetched=True, made=True)
        if os.path.lexists(path):
            _replace(places, git, repository, clone)
        _put_in_place(path, draft)
    except GitFailed as error:
        remove_directory(draft)
        raise CloneFailed(
            f"Cannot clone {repository}: {error.reason}. Look whether the repository "
            "is there and the gateway's forges let this agent reach it."
        ) from error
    return clone


def _replace(
    places: Places, git: Git, repository: RepositoryName, clone: Clone
) -> None:
    clone.healed = True
    clone.stood_on = heads(clone.path)
    draft = places.draft(repository)
    saved = salvage(git, clone.path, draft)
    ready = json.dumps(clone.stood_on)
    (draft / ".git" / READY).write_text(ready, encoding="utf-8")
    aside = set_aside(places, repository.forge, clone.path)
    clone.notices.append(
        f"The clone of {repository} was broken. It was cloned again with {saved} of its"
        f" own branches; what was there is kept as {aside} for a while."
    )


def is_ready(draft: Path) -> bool:
    """Return whether a draft only has to be put in the place of a broken clone."""
    return (draft / ".git" / READY).is_file()


def _finish(path: Path, draft: Path) -> Clone:
    """Put a draft in its place whose broken clone was moved before the kill."""
    clone = Clone(path, healed=True, made=True)
    with suppress(OSError, ValueError):
        clone.stood_on = json.loads(start_of(draft / ".git" / READY, MAX_READY_BYTES))
    _put_in_place(path, draft)
    clone.notices.append("What was broken off is finished: the clone is a new one.")
    return clone


def _put_in_place(path: Path, draft: Path) -> None:
    # Something of the agent's that stands in the way of a directory is no clone.
    for parent in (path.parent.parent, path.parent):
        if os.path.lexists(parent) and not is_directory(parent):
            parent.unlink()
    path.parent.mkdir(parents=True, exist_ok=True)
    draft.rename(path)


def _stand_on_nothing(git: Git, clone: Path) -> None:
    head = git.ask(clone, "symbolic-ref", "--quiet", "HEAD").text.strip()
    git.run(clone, "symbolic-ref", "HEAD", NO_BRANCH)
    if head:
        git.ask(clone, "update-ref", "-d", head)
