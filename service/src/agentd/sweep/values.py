# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""What a sweep finds, and what became of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Literal

AskedBy = Literal["interval", "request"]
Kind = Literal["session", "tree", "transcript", "file", "recovered"]
Reason = Literal["closed", "age", "orphan"]
IssueState = Literal["open", "closed", "missing"]

MAX_CANDIDATES = 1000
MAX_PROBLEMS = 100
MAX_PROBLEM_CHARACTERS = 500


@dataclass(frozen=True)
class Issue:
    """An issue of a repository, under the name that the repository is stored with."""

    repository: str
    issue: str


@dataclass(frozen=True)
class WorkRow:
    """A conversation about a repository; ``here`` is whether its host's is to sweep."""

    agent: str
    conversation_id: str
    repository: str
    issue: str | None
    branch: str | None
    used_at: float
    has_session: bool
    here: bool = True


@dataclass(frozen=True)
class TreeRow:
    """A worktree on the disk of one of this host's agents, as that tells."""

    agent: str
    repository: str
    branch: str
    used_at: float
    held: bool = False


@dataclass(frozen=True)
class Candidate:
    """Something that goes, or would; ``count`` things of it where it is several."""

    kind: Kind
    reason: Reason
    agent: str
    repository: str | None = None
    issue: str | None = None
    branch: str | None = None
    name: str | None = None
    count: int = 1
    bytes: int | None = None
    conversation_id: str | None = None


@dataclass
class Counts:
    """How many of each were removed, or would be; clones never are."""

    sessions: int = 0
    trees: int = 0
    clones: int = 0
    recovered: int = 0
    transcripts: int = 0
    files: int = 0
    bytes: int = 0
    skipped: int = 0
    questions: int = 0

    def for_output(self) -> dict[str, int]:
        """Return them by name."""
        return asdict(self)


@dataclass
class Tally:
    """What a sweep gathers while it runs, within bounds."""

    dry_run: bool
    counts: Counts = field(default_factory=Counts)
    candidates: list[Candidate] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    more_candidates: bool = False

    def note(self, candidate: Candidate) -> None:
        """Keep a candidate, if there is room for it."""
        if len(self.candidates) < MAX_CANDIDATES:
            self.candidates.append(candidate)
        else:
            self.more_candidates = True

    def skip(self, why: object, count: int = 1) -> None:
        """Count what was left as it is, and keep the reason."""
        self.counts.skipped += count
        self.tell(why)

    def tell(self, why: object) -> None:
        """Keep a reason, if there is room for it and it is a new one."""
        text = str(why)[:MAX_PROBLEM_CHARACTERS]
        if len(self.problems) < MAX_PROBLEMS and text not in self.problems:
            self.problems.append(text)

    def add(self, other: Tally) -> None:
        """Take over what was gathered beside."""
        for name, count in other.counts.for_output().items():
            setattr(self.counts, name, getattr(self.counts, name) + count)
        for candidate in other.candidates:
            self.note(candidate)
        for problem in other.problems:
            self.tell(problem)
        self.more_candidates |= other.more_candidates


@dataclass(frozen=True)
class Sweep:
    """One sweep, as it is stored and told; without an end it runs, or was cut off."""

    number: int
    started_at: float
    finished_at: float | None
    host: str
    asked_by: str
    dry_run: bool
    counts: Mapping[str, int] = field(default_factory=dict)
    problems: tuple[str, ...] = ()


@dataclass(frozen=True)
class Swept:
    """A sweep that ended, with what went, or would."""

    sweep: Sweep
    candidates: tuple[Candidate, ...]
    more_candidates: bool
