# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Names of repositories and branches, and the directories that they lead to.

The same name leads to the same directory for ever: a session is found by the
directory that it ran in.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

MAX_REPOSITORY, MAX_BRANCH = 256, 200
MAX_SLUG, MAX_HOLDER = 80, 128
FORGE = r"[a-z0-9][a-z0-9_-]{0,62}"
# No "." and no ".." as a part, no ".git" at its end, which servers add themselves.
PART = r"(?!\.{1,2}(?:/|$))[A-Za-z0-9._-]{1,100}"
REPOSITORY = re.compile(
    rf"(?:(?P<forge>{FORGE}):)?(?P<owner>{PART})/(?P<name>{PART})(?<!\.git)"
)
_BRANCH = re.compile(r"[^\x00-\x20\x7f~^:?*\[\\]+")
_SLUG = re.compile(r"[^A-Za-z0-9_-]+")


class NameRefused(ValueError):
    """A repository or branch has a name that git or a directory could not have."""


@dataclass(frozen=True)
class RepositoryName:
    """A repository of one of the declared forges."""

    forge: str
    owner: str
    name: str

    def __str__(self) -> str:
        """Return the name that means the same with any default forge."""
        return f"{self.forge}:{self.owner}/{self.name}"

    @property
    def path(self) -> str:
        """Return owner and name, as the forge knows them."""
        return f"{self.owner}/{self.name}"


def parse_repository(text: str, default_forge: str | None = None) -> RepositoryName:
    """Return the repository of ``[forge:]owner/name``; raise NameRefused."""
    found = REPOSITORY.fullmatch(text) if len(text) <= MAX_REPOSITORY else None
    forge = (found["forge"] or default_forge) if found else None
    if found is None or forge is None:
        raise NameRefused(
            f'"{text[:MAX_REPOSITORY]}" is no repository: write owner/name, or '
            "forge:owner/name with the name of a declared forge."
        )
    return RepositoryName(forge, found["owner"], found["name"])


def is_branch(value: object) -> bool:
    """Return whether git takes the name for a branch, and a shell for no option."""
    if not isinstance(value, str) or not 0 < len(value) <= MAX_BRANCH:
        return False
    parts = value.split("/")
    return (
        _BRANCH.fullmatch(value) is not None
        and value.isprintable()
        and value not in {"@", "HEAD"}
        and not value.startswith("-")
        and ".." not in value
        and "@{" not in value
        and not any(
            not part or part.startswith(".") or part.endswith((".", ".lock"))
            for part in parts
        )
    )


def is_holder(value: object) -> bool:
    """Return whether that can be the name of who holds a worktree."""
    is_text = isinstance(value, str) and 0 < len(value) <= MAX_HOLDER
    return is_text and str(value).isprintable()


def tree_name(repository: RepositoryName, branch: str) -> str:
    """Return the one flat name of a branch's worktree (H04).

    What is legible of it may be the same for two branches; its digest is not.
    """
    whole = f"{repository.owner}\0{repository.name}\0{branch}".encode()
    words = f"{repository.owner}-{repository.name}-{branch}"
    slug = _SLUG.sub("-", words)[:MAX_SLUG].strip("-")
    return f"{slug}-{hashlib.sha256(whole).hexdigest()[:16]}"


def tree_path(root: Path, repository: RepositoryName, branch: str) -> Path:
    """Return where a branch's worktree lies below the work directories."""
    name = tree_name(repository, branch)
    return root / repository.forge / "worktrees" / name


def issue_branch(issue: str) -> str:
    """Return the branch on which an issue is worked if nobody names another."""
    slug = _SLUG.sub("-", issue).strip("-")[:MAX_SLUG]
    if slug != issue:
        slug = f"{slug}-{hashlib.sha256(issue.encode()).hexdigest()[:8]}".lstrip("-")
    return f"agentkeep/issue-{slug}"
