# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Which sessions and worktrees go; nothing is asked or removed here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from agentd.sweep.values import Candidate, Issue, IssueState, Reason, TreeRow, WorkRow
from agentd.workdirs.names import issue_branch

PREFIX = issue_branch("")
# An agent may tell of as many worktrees as it likes; each would be a question.
MAX_ORPHANS = 200
# Agent, repository and branch: where a worktree is.
Place = tuple[str, str, str | None]


@dataclass(frozen=True)
class Found:
    """What there is, and before when it is too old."""

    rows: Sequence[WorkRow]
    trees: Sequence[TreeRow]
    before: float


def as_used(rows: Sequence[WorkRow], trees: Iterable[TreeRow]) -> list[WorkRow]:
    """Return the conversations, each used as late as its worktree tells.

    A database that was restored knows nothing of what happened since its backup.
    """
    used = {_place(tree): tree.used_at for tree in trees}
    by_age = sorted(rows, key=lambda row: row.used_at)
    last = {_place(row): row.conversation_id for row in by_age if row.has_session}
    return [
        replace(row, used_at=max(row.used_at, used.get(_place(row), 0.0)))
        if last.get(_place(row)) == row.conversation_id
        else row
        for row in rows
    ]


def questions(found: Found) -> list[Issue]:
    """Return the issues whose state decides, each once; what is too old needs none."""
    wanted: dict[Issue, None] = {}
    for row in found.rows:
        if row.has_session and row.here and row.issue and row.used_at >= found.before:
            wanted[Issue(row.repository, row.issue)] = None
    asked: Counter[str] = Counter()
    for tree in sorted(_without_session(found), key=lambda one: one.used_at):
        issue = issue_of(tree, found.rows)
        if issue is None or tree.used_at < found.before or issue in wanted:
            continue
        asked[tree.agent] += 1
        if asked[tree.agent] <= MAX_ORPHANS:
            wanted[issue] = None
    return list(wanted)


def decide(found: Found, states: Mapping[Issue, IssueState]) -> list[Candidate]:
    """Return the sessions and worktrees that go (I02, I03, I04).

    An issue whose state is not known is taken to be open, and so is a missing one: a
    token that lost its rights sees no issue either.
    """
    gone: list[Candidate] = []
    closed = {issue for issue, state in states.items() if state == "closed"}
    going = [(row, _reason(row, found, closed)) for row in found.rows]
    used = {_place(row) for row, reason in going if row.has_session and not reason}
    left = {_place(tree) for tree in found.trees} - used
    for row, reason in going:
        if reason is not None:
            gone += _with_tree(row, left, reason)
            left.discard(_place(row))
    for tree in _without_session(found):
        issue = issue_of(tree, found.rows)
        if tree.used_at < found.before:
            gone.append(_tree(tree, issue, "age"))
        elif issue in closed:
            gone.append(_tree(tree, issue, "orphan"))
    return gone


def _reason(row: WorkRow, found: Found, closed: Collection[Issue]) -> Reason | None:
    """Return why a session goes, or None."""
    if not row.has_session or not row.here:
        return None
    if row.used_at < found.before:
        return "age"
    is_closed = row.issue and Issue(row.repository, row.issue) in closed
    return "closed" if is_closed else None


def _place(one: WorkRow | TreeRow) -> Place:
    return one.agent, one.repository, one.branch


def issue_of(tree: TreeRow, rows: Iterable[WorkRow]) -> Issue | None:
    """Return the issue that is worked on in a worktree, if that can be known."""
    for row in rows:
        if row.issue and (row.repository, row.branch) == (tree.repository, tree.branch):
            return Issue(row.repository, row.issue)
    number = tree.branch.removeprefix(PREFIX)
    if number != tree.branch and issue_branch(number) == tree.branch:
        return Issue(tree.repository, number)
    return None


def _without_session(found: Found) -> Iterator[TreeRow]:
    used = {_place(row) for row in found.rows if row.has_session}
    for tree in found.trees:
        if not tree.held and _place(tree) not in used:
            yield tree


def _with_tree(
    row: WorkRow, trees: Collection[Place], reason: Reason
) -> Iterator[Candidate]:
    """Yield a session, and the worktree that goes with it."""
    session = Candidate(
        kind="session",
        reason=reason,
        agent=row.agent,
        repository=row.repository,
        issue=row.issue,
        branch=row.branch,
        conversation_id=row.conversation_id,
    )
    yield session
    if _place(row) in trees:
        yield replace(session, kind="tree")


def _tree(tree: TreeRow, issue: Issue | None, reason: Reason) -> Candidate:
    return Candidate(
        kind="tree",
        reason=reason,
        agent=tree.agent,
        repository=tree.repository,
        issue=None if issue is None else issue.issue,
        branch=tree.branch,
    )
