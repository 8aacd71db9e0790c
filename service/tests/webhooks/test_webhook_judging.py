# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""What is done with an event follows from its words and the settings alone."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from forge.deliveries import SECRET, delivery

from agentd.errors import SettingsInvalid, WebhookUnreadable
from agentd.webhook_settings import WebhookSettings, webhook_settings
from agentd.webhooks.judge import Bench, judge, mentions
from agentd.webhooks.values import Clean, Decision, Dispatch, Event, Ignore, Source
from agentd.work_settings import ControlForge

from .test_webhook_events import read

FORGES = {
    "code": ControlForge(kind="forgejo"),
    "hub": ControlForge(kind="github", repositories=["team/*"]),
}
OPENED = Event(
    event="issues",
    action="opened",
    name="issues.opened",
    project="team/shop",
    number="7",
    sender="mira",
    title="The basket is empty",
    text="@agent look at it",
    url="https://forge.example/team/shop/issues/7",
)


def settings(**values: Any) -> WebhookSettings:
    given = {"secret": SECRET, "user": "agent", "label": "agent", **values}
    return webhook_settings("forgejo", given)


def bench(source: Source = "forgejo", **values: Any) -> Bench:
    forge = "hub" if source == "github" else "code"
    if source == "jira":
        values.setdefault("projects", {"SHOP": "team/shop"})
    return Bench(source, settings(**values), "main", forge, FORGES)


def given(decision: Decision) -> Any:
    assert isinstance(decision, Dispatch), decision
    return decision.task


def reason(decision: Decision) -> str:
    assert isinstance(decision, Ignore), decision
    return decision.reason


ADDRESSED: list[tuple[Source, str, bool]] = [
    ("forgejo", "issues.opened", False),
    ("forgejo", "issues.assigned", True),
    ("forgejo", "issue_comment.created", True),
    ("forgejo", "issue_comment.created on a pull request", True),
    ("forgejo", "pull_request.review_requested", True),
    ("github", "issues.opened", False),
    ("github", "issues.assigned", True),
    ("github", "issue_comment.created", True),
    ("github", "pull_request.review_requested", True),
    ("jira", "issue_updated and assigned", True),
    ("jira", "comment_created", True),
]


@pytest.mark.parametrize(("source", "name", "taken"), ADDRESSED)
def test_recorded_events_give_work_if_they_are_addressed_to_the_agent(
    source: Source, name: str, taken: bool
) -> None:
    decision = judge(read(source, delivery(source, name)), bench(source))

    assert isinstance(decision, Dispatch) == taken, decision


@pytest.mark.parametrize(
    ("added", "labels", "taken"),
    [
        ("agent", ("bug", "agent"), True),
        ("bug", ("bug", "agent"), False),
        # Older senders do not say which; one that was taken away is not there.
        (None, ("bug", "agent"), True),
        ("agent", ("bug",), False),
        (None, ("bug",), False),
    ],
)
def test_a_label_addresses_the_agent_when_it_is_put_there(
    added: str | None, labels: tuple[str, ...], taken: bool
) -> None:
    event = replace(OPENED, action="labeled", name="issues.labeled", labels=labels)

    decision = judge(replace(event, subject=added), bench())

    assert isinstance(decision, Dispatch) is taken


def test_work_is_about_the_issue_and_has_its_branch() -> None:
    task = given(judge(OPENED, bench()))

    assert (task.agent, task.repository, task.issue) == ("main", "team/shop", "7")
    assert (task.branch, task.priority) == ("agentkeep/issue-7", "normal")
    assert task.prompt_if_resumed and len(task.prompt_if_resumed) < len(task.prompt)


def test_a_repository_of_another_forge_than_the_first_is_named_with_it() -> None:
    assert given(judge(OPENED, bench("github"))).repository == "hub:team/shop"


def test_work_on_a_pull_request_is_on_its_branch_and_on_one_of_ours_for_a_fork() -> (
    None
):
    asked = replace(OPENED, event="pull_request", name="pull_request.opened", pull=True)

    assert given(judge(replace(asked, branch="feat/x"), bench())).branch == "feat/x"
    assert given(judge(asked, bench())).branch == "agentkeep/issue-7"
    odd = replace(asked, branch="--upload-pack=x")
    assert given(judge(odd, bench())).branch == "agentkeep/issue-7"


def test_the_first_rule_that_fits_says_who_works_and_how() -> None:
    rules = [
        {"events": ["issues.opened"], "labels": ["docs"], "agent": "writer"},
        {
            "events": ["issues.opened"],
            "addressed": False,
            "definition": "triage",
            "priority": "low",
            "prompt": "Sort {repository}#{number}.",
        },
    ]
    labelled = replace(OPENED, labels=("docs",))
    unasked = replace(OPENED, text="nothing")

    assert given(judge(labelled, bench(rules=rules))).agent == "writer"
    task = given(judge(unasked, bench(rules=rules)))
    assert (task.agent, task.definition, task.branch) == ("main", "triage", None)
    assert (task.priority, task.prompt) == ("low", "Sort team/shop#7.")
    other = replace(unasked, event="issue_comment", name="issue_comment.created")
    assert "no rule" in reason(judge(other, bench(rules=rules)))


def test_what_is_not_for_us_is_ignored_with_a_reason() -> None:
    elsewhere = replace(OPENED, project="other/shop")

    assert "agents' own" in reason(judge(replace(OPENED, sender="Agent"), bench()))
    assert "agents' own" in reason(judge(replace(OPENED, sender=""), bench()))
    # Agents that answer themselves never come to an end.
    app = replace(OPENED, sender="agent[bot]")
    assert "agents' own" in reason(judge(app, bench()))
    person = bench(user="mira[bot]", rules=[{"addressed": False}])
    assert isinstance(judge(OPENED, person), Dispatch)
    assert "not among those" in reason(judge(elsewhere, bench("github")))
    narrow = bench(repositories=["team/web", "team/s"])
    assert "not among those" in reason(judge(OPENED, narrow))
    assert "not among the senders" in reason(judge(OPENED, bench(senders=["ada"])))
    assert "project" in reason(judge(replace(OPENED, project="ELSE"), bench("jira")))
    assert "star.created" in reason(judge(Event("star", "created"), bench()))
    assert isinstance(judge(OPENED, bench(senders=["Mira"])), Dispatch)


def test_a_star_in_a_pattern_stands_for_no_slash() -> None:
    decision = judge(replace(OPENED, project="team/a/shop"), bench())

    assert "not among those" in reason(decision)


def test_a_name_without_an_end_is_compared_with_nothing() -> None:
    endless = replace(OPENED, project="team/" + "a" * 100_000)

    decision = judge(endless, bench(repositories=["*a*a*a*a*a*a*b/*"]))

    assert "not among those" in reason(decision)


@pytest.mark.parametrize("name", ["../..", "team/..", "team/shop.git", "team/a b"])
def test_a_repository_that_cannot_be_one_is_refused(name: str) -> None:
    with pytest.raises(WebhookUnreadable):
        judge(replace(OPENED, project=name), bench())


@pytest.mark.parametrize("source", ["forgejo", "github"])
def test_what_closes_is_cleaned_whoever_closes_it_and_what_reopens_is_not(
    source: Source,
) -> None:
    """H09."""
    name = "team/shop" if source == "forgejo" else "hub:team/shop"

    def decided(what: str, **values: Any) -> Decision:
        return judge(read(source, delivery(source, what)), bench(source, **values))

    assert decided("issues.closed", user="mira") == Clean(name, "7")
    for what in ("pull_request.closed", "pull_request.closed and merged"):
        closed = decided(what)
        assert isinstance(closed, Clean)
        assert (closed.repository, closed.branch) == (name, "feat/basket")
    for what in ("issues.reopened", "pull_request.reopened"):
        assert "opened again" in reason(decided(what))


def test_the_pull_request_of_a_fork_leaves_branches_of_that_name_alone() -> None:
    """H09: it is not the branch of the repository."""
    sent = delivery("github", "pull_request.closed").payload
    sent["pull_request"]["head"].update(ref="main", repo={"full_name": "eve/shop"})
    closed = judge(read_github(sent), bench("github"))

    assert isinstance(closed, Clean)
    assert closed.branch is None


def read_github(payload: Any) -> Event:
    from forge.deliveries import signed

    return read("github", signed("github", "pull_request", payload))


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("@agent look", True),
        ("(@Agent)", True),
        ("look, @agent.", True),
        ("[~accountid:agent] look", True),
        ("[~agent] look", True),
        ("@agents look", False),
        ("@agent-smith look", False),
        ("mail@agent.example", False),
        ("team/@agent", False),
        ("agent look", False),
    ],
)
def test_a_user_is_meant_where_the_forge_would_notify_it(
    words: str, found: bool
) -> None:
    assert mentions(words, "agent") is found


def test_an_app_of_github_is_mentioned_without_its_ending() -> None:
    assert mentions("@keeper look", "keeper[bot]")


BAD: list[tuple[dict[str, Any], str]] = [
    ({"secret": "short"}, "secret: String should have at least 16"),
    ({"secret": None}, "set one of secret and secret_file"),
    ({"secret_file": "/x"}, "set one of secret and secret_file"),
    ({"user": None}, "user: Input should be a valid string"),
    ({"user": "a b"}, "user: String should match"),
    ({"events": ["issues"]}, "events: Extra inputs"),
    ({"rules": [{"events": ["issues.closed"]}]}, "rules.0.events.0"),
    ({"rules": []}, "rules: List should have at least 1"),
    ({"rules": [{"branch": "x", "definition": "y"}]}, "not both"),
    ({"branch": "a..b"}, "is no branch that git takes"),
    ({"prompt": "Do {titel}."}, 'a prompt names "{titel}"'),
    ({"rules": [{"prompt_if_resumed": "{x}"}]}, 'a prompt names "{x}"'),
    ({"repositories": ["shop"]}, "repositories.0"),
    ({"projects": {"shop": "team/shop"}}, "projects.shop"),
    ({"enabled": "yes"}, "enabled: Input should be a valid boolean"),
]


@pytest.mark.parametrize(("values", "said"), BAD, ids=lambda one: str(one)[:40])
def test_settings_that_mean_nothing_are_refused_with_the_key(
    values: dict[str, Any], said: str
) -> None:
    with pytest.raises(SettingsInvalid) as refused:
        settings(**values)

    assert said in str(refused.value)
    assert SECRET not in str(refused.value) and SECRET not in repr(settings())
