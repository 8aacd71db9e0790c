# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""What is done with an event: decided from its words and the settings alone."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from agentd.errors import WebhookUnreadable
from agentd.queue.values import NewTask
from agentd.webhook_settings import WebhookRule, WebhookSettings
from agentd.webhooks.values import Clean, Decision, Dispatch, Event, Ignore, Source
from agentd.webhooks.words import About, filled
from agentd.work_settings import ControlForge
from agentd.workdirs.names import (
    MAX_REPOSITORY,
    NameRefused,
    RepositoryName,
    is_branch,
    issue_branch,
    parse_repository,
)

# What is said to nobody by itself: the issue's words came with its opening.
WORDLESS = frozenset({"assigned", "labeled", "review_requested"})


@dataclass(frozen=True)
class Bench:
    """What events are judged by."""

    source: Source
    settings: WebhookSettings
    agent: str
    forge: str
    forges: Mapping[str, ControlForge]
    mark: str = "from-the-forge"


def judge(event: Event, bench: Bench) -> Decision:
    """Return what is to be done; raise WebhookUnreadable for names that cannot be."""
    if not event.name:
        what = ".".join(filter(None, (event.event, event.action))) or "it"
        return Ignore(f"{what} is no event that gives work")
    path = _path(event, bench)
    if isinstance(path, Ignore):
        return path
    repository = _repository(path, bench)
    if event.action == "closed":
        branch = event.branch if event.branch and is_branch(event.branch) else None
        return Clean(stored(repository, bench), event.number, branch)
    if event.action == "reopened":
        return Ignore("what is opened again goes on when somebody asks for it")
    return _work(event, repository, bench)


def stored(repository: RepositoryName, bench: Bench) -> str:
    """Return the text under which a repository is stored, as everywhere."""
    first = next(iter(bench.forges))
    return repository.path if repository.forge == first else str(repository)


def _path(event: Event, bench: Bench) -> str | Ignore:
    """Return owner and name of the repository, if its events are taken."""
    settings = bench.settings
    if bench.source == "jira":
        mapped = settings.projects.get(event.project)
        if mapped is None:
            return Ignore(f'project "{event.project}" is not among the projects')
        return mapped
    declared = bench.forges[bench.forge].repositories
    if not all(_fits(event.project, one) for one in (settings.repositories, declared)):
        return Ignore(f'repository "{event.project[:200]}" is not among those taken')
    return event.project


def _fits(path: str, patterns: list[str]) -> bool:
    # Many stars take long on a long name.
    return len(path) <= MAX_REPOSITORY and any(
        re.fullmatch(re.escape(pattern).replace(r"\*", "[^/]*"), path)
        for pattern in patterns
    )


def _repository(path: str, bench: Bench) -> RepositoryName:
    try:
        return parse_repository(path, bench.forge)
    except NameRefused as error:
        raise WebhookUnreadable(f"Cannot take this webhook: {error}") from error


def _work(event: Event, repository: RepositoryName, bench: Bench) -> Decision:
    settings = bench.settings
    if not event.sender or _is_own(event.sender, settings.user):
        return Ignore("it is the agents' own doing")
    if settings.senders and not any(_same(event.sender, o) for o in settings.senders):
        return Ignore(f'"{event.sender[:100]}" is not among the senders')
    fitting = (rule for rule in settings.rules if _rule_fits(rule, event, settings))
    rule = next(fitting, None)
    if rule is None:
        return Ignore("no rule is for it: it is not addressed to the agent")
    return Dispatch(_task(rule, event, repository, bench))


def _rule_fits(rule: WebhookRule, event: Event, settings: WebhookSettings) -> bool:
    if event.name not in rule.events:
        return False
    if rule.labels and not set(rule.labels) & set(event.labels):
        return False
    return not rule.addressed or is_addressed(event, settings)


def is_addressed(event: Event, settings: WebhookSettings) -> bool:
    """Return whether the agents' user, or their label, is meant by an event."""
    if event.name == "issue_comment.created":
        return mentions(event.text, settings.user)
    if event.action == "labeled":
        # Forgejo tells of a label that was taken away by the same name.
        added = event.subject in {None, settings.label}
        return added and settings.label in event.labels
    asked = any(_same(one, settings.user) for one in event.people)
    if event.action in WORDLESS:
        return asked if event.subject is None else _same(event.subject, settings.user)
    words = f"{event.title}\n{event.text}"
    return asked or settings.label in event.labels or mentions(words, settings.user)


def mentions(words: str, user: str) -> bool:
    """Return whether a user is spoken to, as forges and Jira write it."""
    name = re.escape(user.removesuffix("[bot]"))
    pattern = rf"(?<![\w@/.-])@{name}(?![\w-])|\[~(?:accountid:)?{name}\]"
    return re.search(pattern, words, re.IGNORECASE) is not None


def _is_own(sender: str, user: str) -> bool:
    """Return whether it is the agents' user; an app is one under either name."""
    return any(_same(sender, name) for name in (user, f"{user}[bot]"))


def _same(one: str, other: str) -> bool:
    return one.casefold() == other.casefold()


def _task(
    rule: WebhookRule, event: Event, repository: RepositoryName, bench: Bench
) -> NewTask:
    settings = bench.settings
    agent = rule.agent or bench.agent
    branch = _branch(rule, event, bench)
    name = stored(repository, bench)
    about = About(event, name, branch or "", agent)
    resumed = rule.prompt_if_resumed or settings.prompt_if_resumed
    return NewTask(
        agent=agent,
        prompt=filled(rule.prompt or settings.prompt, about, bench.mark),
        prompt_if_resumed=filled(resumed, about, bench.mark),
        priority=rule.priority or settings.priority,
        definition=_definition(rule, settings),
        repository=name,
        issue=event.number,
        branch=branch,
    )


def _definition(rule: WebhookRule, settings: WebhookSettings) -> str | None:
    return None if rule.branch else rule.definition or settings.definition


def _branch(rule: WebhookRule, event: Event, bench: Bench) -> str | None:
    """Return the branch to work on, if any."""
    template = bench.settings.branch if rule.branch is None else rule.branch
    if not template or _definition(rule, bench.settings):
        return None
    if event.branch is not None and is_branch(event.branch):
        return event.branch
    branch = template.replace("{number}", event.number)
    return branch if is_branch(branch) else issue_branch(event.number)
