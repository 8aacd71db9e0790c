# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Which sessions and worktrees go, by table."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from agentd.sweep.decide import MAX_ORPHANS, Found, decide, questions
from agentd.sweep.values import Issue, IssueState, TreeRow, WorkRow

NOW, OLD, BEFORE = 100.0, 10.0, 50.0
ISSUE = Issue("shop/web", "7")
BRANCH = "feature/x"


def row(**changes: object) -> WorkRow:
    """Return a conversation about an issue, changed as told."""
    values: dict[str, object] = {
        "agent": "main",
        "conversation_id": "conv-1",
        "repository": ISSUE.repository,
        "issue": ISSUE.issue,
        "branch": BRANCH,
        "used_at": NOW,
        "has_session": True,
        **changes,
    }
    return WorkRow(**values)  # type: ignore[arg-type]


def tree(**changes: object) -> TreeRow:
    """Return the worktree of that conversation, changed as told."""
    values: dict[str, object] = {
        "agent": "main",
        "repository": ISSUE.repository,
        "branch": BRANCH,
        "used_at": NOW,
        **changes,
    }
    return TreeRow(**values)  # type: ignore[arg-type]


NO_SESSION = row(has_session=False)
ROWS: tuple[
    tuple[str, list[WorkRow], list[TreeRow], IssueState | None, object], ...
] = (
    ("I02 closed", [row()], [tree()], "closed", ["session closed", "tree closed"]),
    ("I02 open", [row()], [tree()], "open", []),
    ("I06 not known", [row()], [tree()], None, []),
    ("missing stays", [row()], [tree()], "missing", []),
    ("I03 age", [row(used_at=OLD)], [], None, ["session age"]),
    ("I03 an old tree", [], [tree(used_at=OLD)], None, ["tree age"]),
    ("I03 without an issue", [row(used_at=OLD, issue=None)], [], None, ["session age"]),
    ("an old tree of a session", [row()], [tree(used_at=OLD)], "open", []),
    ("I04 orphan, closed", [NO_SESSION], [tree()], "closed", ["tree orphan"]),
    ("I04 orphan, open", [NO_SESSION], [tree()], "open", []),
    ("I04 orphan, not known", [NO_SESSION], [tree()], None, []),
    ("held by a turn", [NO_SESSION], [tree(held=True)], "closed", []),
    ("held and old", [], [tree(held=True, used_at=OLD)], None, []),
    ("nobody knows its issue", [], [tree()], "closed", []),
    ("another agent's tree", [row()], [tree(agent="b")], "open", []),
    ("elsewhere", [row(here=False)], [], "closed", []),
    ("elsewhere and old", [row(here=False, used_at=OLD)], [], None, []),
    ("elsewhere, its tree here", [row(here=False)], [tree()], "closed", []),
    (
        "I02 each agent",
        [row(), row(agent="b", conversation_id="conv-2")],
        [tree(), tree(agent="b")],
        "closed",
        ["session closed", "tree closed", "session closed", "tree closed"],
    ),
    (
        "I03 another works on its branch",
        [row(used_at=OLD, issue="8"), row(conversation_id="conv-2")],
        [tree()],
        "open",
        ["session age"],
    ),
    (
        "I02 another works on its branch",
        [row(), row(issue=None, conversation_id="conv-2")],
        [tree()],
        "closed",
        ["session closed"],
    ),
    (
        "I03 the last of its branch",
        [row(used_at=OLD), row(issue=None, used_at=OLD, conversation_id="conv-2")],
        [tree()],
        None,
        ["session age", "tree age", "session age"],
    ),
    (
        "I04 the branch tells the issue",
        [],
        [tree(branch="agentkeep/issue-7")],
        "closed",
        ["tree orphan"],
    ),
)


@pytest.mark.parametrize(
    ("rows", "trees", "state", "gone"),
    [each[1:] for each in ROWS],
    ids=[each[0] for each in ROWS],
)
def test_what_goes_is_closed_too_old_or_nobody_s(
    rows: list[WorkRow],
    trees: list[TreeRow],
    state: IssueState | None,
    gone: list[str],
) -> None:
    states: Mapping[Issue, IssueState] = {} if state is None else {ISSUE: state}

    found = decide(Found(rows, trees, BEFORE), states)

    assert [f"{one.kind} {one.reason}" for one in found] == gone


def test_each_issue_is_asked_about_once_and_what_is_old_not_at_all() -> None:
    # I03: no question for what goes by its age.
    rows = [
        row(),
        row(agent="b", conversation_id="conv-2"),
        row(issue="8", used_at=OLD),
        row(issue="9", has_session=False, branch="other"),
        row(issue=None, branch="free"),
        row(issue="10", here=False),
    ]
    trees = [
        tree(),
        tree(branch="agentkeep/issue-11"),
        tree(branch="agentkeep/issue-12", used_at=OLD),
        tree(branch="other"),
        tree(branch="free"),
    ]

    asked = questions(Found(rows, trees, BEFORE))

    assert [one.issue for one in asked] == ["7", "11", "9"]


def test_an_agent_that_tells_of_many_worktrees_has_few_questions_asked() -> None:
    lies = [tree(branch=f"agentkeep/issue-{number}") for number in range(1, 5000)]
    honest = tree(agent="b", branch="agentkeep/issue-9999")

    asked = questions(Found([], [*lies, honest], BEFORE))

    assert len(asked) == MAX_ORPHANS + 1
    assert Issue("shop/web", "9999") in asked
