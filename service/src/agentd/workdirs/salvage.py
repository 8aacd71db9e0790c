# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""What a broken clone still has, taken over into the one that is made for it (H02)."""

from __future__ import annotations

import os
import re
import shutil
import stat
from contextlib import suppress
from pathlib import Path

from agentd.workdirs.git import Git, GitFailed
from agentd.workdirs.places import is_directory, names_in, remove_directory
from agentd.workdirs.recovery import is_on_a_branch, save_commit

HEAD = re.compile(rb"(ref: refs/[^\x00-\x20]+|[0-9a-f]{40}|[0-9a-f]{64})\n?")
MAX_PACKED_BYTES = 4 * 1024 * 1024
# No branch of anybody: what the clone itself stands on is then free for a worktree.
NO_BRANCH = "refs/heads/agentkeep/none"
SALVAGED = "refs/agentkeep/salvaged"
UPLOAD = "--upload-pack=git -c uploadpack.allowAnySHA1InWant=true upload-pack"


def start_of(path: Path, most: int = 4096) -> bytes:
    """Return the beginning of a file; nothing if it is none, or a link."""
    with suppress(OSError):
        file = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        try:
            if stat.S_ISREG(os.fstat(file).st_mode):
                return os.read(file, most)
        finally:
            os.close(file)
    return b""


def salvage(git: Git, broken: Path, draft: Path) -> int:
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
    if HEAD.fullmatch(start_of(source / "HEAD")) is None:
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
        head = start_of(source / "worktrees" / name / "HEAD").strip()
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
        start_of(source / "packed-refs", MAX_PACKED_BYTES),
        re.MULTILINE,
    )
    names |= {one.decode("utf-8", "surrogateescape") for one in packed}
    return [f"+refs/heads/{one}:refs/heads/{one}" for one in sorted(names)[:1000]]
