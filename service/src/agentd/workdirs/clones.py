# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""One clone per repository: made once, fetched after that, and healed when broken."""

from __future__ import annotations

import os
import re
import shutil
import stat
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from agentd.workdirs.git import Git, GitFailed, reason_of
from agentd.workdirs.names import RepositoryName
from agentd.workdirs.places import (
    Places,
    is_directory,
    names_in,
    remove_directory,
    set_aside,
)
from agentd.workdirs.recovery import is_on_a_branch, save_commit
from agentd.workdirs.state import heads

HEAD = re.compile(rb"(ref: refs/[^\x00-\x20]+|[0-9a-f]{40}|[0-9a-f]{64})\n?")
FETCHED = "agentkeep-fetched"
MAX_PACKED_BYTES = 4 * 1024 * 1024
# No branch of anybody: what the clone itself stands on is then free for a worktree.
NO_BRANCH = "refs/heads/agentkeep/none"
SALVAGED = "refs/agentkeep/salvaged"
# What is new and small comes at once: to ask for it later is one more question.
SMALL_FILES = "--filter=blob:limit=65536"
REMOTE = (
    ("fetch", "+refs/heads/*:refs/remotes/origin/*"),
    ("promisor", "true"),
    ("partialclonefilter", "blob:none"),
)
UPLOAD = "--upload-pack=git -c uploadpack.allowAnySHA1InWant=true upload-pack"
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
    return HEAD.fullmatch(_start_of(git / "HEAD")) is not None


def _start_of(path: Path, most: int = 4096) -> bytes:
    with suppress(OSError):
        file = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        try:
            if stat.S_ISREG(os.fstat(file).st_mode):
                return os.read(file, most)
        finally:
            os.close(file)
    return b""


def is_broken(git: Git, clone: Path, said: str) -> bool:
    """Return whether a clone is damaged, on a look as thorough as what git said asks.

    What the forge can give again is not missed by a check of what leads to what, not
    even in a pack that cannot be read.
    """
    if not is_sound(clone):
        return True
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
    output = git.ask(clone.path, *words, SMALL_FILES, "origin")
    if output.status != 0 and "filter" in output.error:
        output = git.ask(clone.path, *words, "origin")
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
    saved = _salvage(git, clone.path, places.draft(repository))
    aside = set_aside(places, repository.forge, clone.path)
    clone.notices.append(
        f"The clone of {repository} was broken. It was cloned again with {saved} of its"
        f" own branches; what was there is kept as {aside} for a while."
    )


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


def _salvage(git: Git, broken: Path, draft: Path) -> int:
    """Fetch the branches of a broken clone that can still be read; return how many."""
    source = broken / ".git"
    if not is_directory(source):
        return 0
    with suppress(OSError):
        _make_readable(git, source, draft)
    words = ("fetch", "--quiet", "--no-tags", "--no-write-fetch-head", UPLOAD)
    before = _branches(git, draft)
    wanted = ["+refs/heads/*:refs/heads/*", *_detached(source)]
    with suppress(GitFailed):
        if git.ask(draft, *words, str(source), *wanted).status != 0:
            for one in [*_loose_branches(source), *_detached(source)]:
                git.ask(draft, *words, str(source), one)
    with suppress(GitFailed):
        _keep_detached(git, draft)
    return len(_branches(git, draft) - before)


def _make_readable(git: Git, source: Path, draft: Path) -> None:
    """Give a broken clone what git demands of a repository that it reads."""
    if HEAD.fullmatch(_start_of(source / "HEAD")) is None:
        remove_directory(source / "HEAD")
        (source / "HEAD").write_text(f"ref: {NO_BRANCH}\n", encoding="utf-8")
    (source / "refs").mkdir(exist_ok=True)
    config = source / "config"
    if git.ask(draft, "config", "--file", str(config), "--list").status != 0:
        remove_directory(config)
        shutil.copyfile(draft / ".git" / "config", config)


def _keep_detached(git: Git, draft: Path) -> None:
    for name in git.run(draft, "for-each-ref", "--format=%(refname)", SALVAGED).split():
        commit = name.rpartition("/")[2]
        if not is_on_a_branch(git, draft, commit):
            save_commit(git, draft, commit)
        git.ask(draft, "update-ref", "-d", name)


def _branches(git: Git, clone: Path) -> set[str]:
    listed = git.run(clone, "for-each-ref", "--format=%(refname)", "refs/heads")
    return set(listed.split())


def _detached(source: Path) -> list[str]:
    """Return what to fetch so that commits on no branch are saved too."""
    wanted = []
    for name in names_in(source / "worktrees"):
        head = _start_of(source / "worktrees" / name / "HEAD").strip()
        if re.fullmatch(rb"[0-9a-f]{40,64}", head):
            wanted.append(f"+{head.decode()}:{SALVAGED}/{head.decode()}")
    return wanted


def _loose_branches(source: Path) -> list[str]:
    """Return what to fetch one by one if one branch spoils the others."""
    names: set[str] = set()
    heads = source / "refs" / "heads"
    for directory, _directories, files in os.walk(heads):
        names |= {str(Path(directory, one).relative_to(heads)) for one in files}
    packed = re.findall(
        rb"^[0-9a-f]{40,64} refs/heads/(\S+)$",
        _start_of(source / "packed-refs", MAX_PACKED_BYTES),
        re.MULTILINE,
    )
    names |= {one.decode("utf-8", "surrogateescape") for one in packed}
    return [f"+refs/heads/{one}:refs/heads/{one}" for one in sorted(names)[:1000]]
