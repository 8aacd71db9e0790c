# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""The settings of webhooks of one forge or tracker: whom they reach, with what words.

They lie below ``definitions_directory``, are put there over HTTP or by a play, and are
read when a webhook comes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field, ValidationError, field_validator, model_validator

from agentd.definitions.names import NAME_PATTERN
from agentd.errors import SettingsInvalid
from agentd.settings_types import Frozen, Name
from agentd.webhooks.words import PROMPT, PROMPT_IF_RESUMED, fault_of_template
from agentd.work_settings import RepositoryPattern
from agentd.workdirs.names import is_branch

MAX_PROMPT = 20_000
MIN_SECRET = 16
Priority = Literal["high", "normal", "low"]
EventName = Literal[
    "issues.opened",
    "issues.edited",
    "issues.assigned",
    "issues.labeled",
    "issue_comment.created",
    "pull_request.opened",
    "pull_request.edited",
    "pull_request.assigned",
    "pull_request.labeled",
    "pull_request.synchronized",
    "pull_request.review_requested",
]
DEFAULT_EVENTS: tuple[EventName, ...] = (
    "issues.opened",
    "issues.assigned",
    "issues.labeled",
    "issue_comment.created",
    "pull_request.opened",
    "pull_request.assigned",
    "pull_request.labeled",
    "pull_request.synchronized",
    "pull_request.review_requested",
)
Secret = Annotated[str, Field(min_length=MIN_SECRET, max_length=1024)]
User = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:\[\]-]{0,127}$")]
Label = Annotated[str, Field(min_length=1, max_length=100)]
Definition = Annotated[str, Field(pattern=rf"^{NAME_PATTERN}$")]
Prompt = Annotated[str, Field(min_length=1, max_length=MAX_PROMPT)]
Branch = Annotated[str, Field(max_length=200)]
ProjectKey = Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9_]{0,30}$")]
Repository = Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,100}/[A-Za-z0-9._-]+$")]


class WebhookRule(Frozen):
    """What is done with some events; what is null is as the settings above say."""

    events: list[EventName] = Field(default=list(DEFAULT_EVENTS), min_length=1)
    """Events that it is for."""
    addressed: bool = True
    """Whether the event has to be addressed to the agent: assigned to `user`, asked of
    it, mentioning it, or with the `label`."""
    labels: list[Label] = Field(default=[], max_length=50)
    """The issue has to have one of these; empty is any."""
    agent: Name | None = None
    """Agent that works on it."""
    branch: Branch | None = None
    """Branch that it works on; empty is none."""
    definition: Definition | None = None
    """Definition that a new conversation runs in, without a work directory."""
    priority: Priority | None = None
    """Priority of its task."""
    prompt: Prompt | None = None
    """What is said to it."""
    prompt_if_resumed: Prompt | None = None
    """What is said in its place where a session of the issue goes on."""


class WebhookSettings(Frozen):
    """Which webhooks of a sender are taken, and which agent works on what."""

    enabled: bool = True
    """Whether webhooks are taken."""
    secret: Secret | None = Field(default=None, repr=False)
    """The secret that the sender signs with."""
    secret_file: str | None = None
    """File with the secret, in place of `secret`."""
    former_secret: Secret | None = Field(default=None, repr=False)
    """Another secret that is taken too, while it is being changed."""
    forge: Name | None = None
    """Declared forge whose repositories these are; null is the first of that kind."""
    user: User
    """The agents' user at the sender: events are addressed to it, and its own are
    ignored. Of Jira it is the account id."""
    agent: Name | None = None
    """Agent that works on events; null is the first declared."""
    repositories: list[RepositoryPattern] = Field(default=["*/*"], max_length=1000)
    """Repositories whose events are taken."""
    projects: dict[ProjectKey, Repository] = Field(default={}, max_length=1000)
    """Of Jira: the repository of each project whose events are taken."""
    senders: list[User] = Field(default=[], max_length=1000)
    """Users whose events give work to agents; empty is all who may write there."""
    label: Label = "agentkeep"
    """Label that addresses an issue to the agent."""
    branch: Branch = "agentkeep/issue-{number}"
    """Branch that a new conversation about an issue works on; empty is none."""
    definition: Definition | None = None
    """Definition that a new conversation runs in, without a work directory."""
    priority: Priority = "normal"
    """Priority of tasks."""
    prompt: Prompt = PROMPT
    """What is said to an agent."""
    prompt_if_resumed: Prompt = PROMPT_IF_RESUMED
    """What is said in its place where a session of the issue goes on."""
    rules: list[WebhookRule] = Field(
        default=[WebhookRule()], min_length=1, max_length=50
    )
    """The first rule that fits an event is used; none ignores it."""

    @field_validator("rules", mode="after")
    @classmethod
    def _a_definition_has_its_own_directory(
        cls, value: list[WebhookRule]
    ) -> list[WebhookRule]:
        if any(rule.definition and rule.branch for rule in value):
            raise ValueError("a rule has a branch or a definition, not both")
        return value

    @model_validator(mode="after")
    def _words_and_secrets_are_usable(self) -> WebhookSettings:
        if (self.secret is None) == (self.secret_file is None):
            raise ValueError("set one of secret and secret_file")
        said = [self.prompt, self.prompt_if_resumed]
        said += [rule.prompt or "" for rule in self.rules]
        said += [rule.prompt_if_resumed or "" for rule in self.rules]
        for template in said:
            if fault := fault_of_template(template):
                raise ValueError(fault)
        for branch in (self.branch, *(rule.branch for rule in self.rules)):
            if branch and not is_branch(branch.replace("{number}", "1")):
                raise ValueError(f'"{branch}" is no branch that git takes')
        return self


def webhook_settings(name: str, values: Mapping[str, object]) -> WebhookSettings:
    """Return the settings of webhooks; raise SettingsInvalid naming each bad key."""
    try:
        return WebhookSettings.model_validate(values)
    except ValidationError as error:
        problems = "; ".join(
            f"{'.'.join(str(part)[:50] for part in item['loc']) or 'settings'}: "
            f"{item['msg'].removeprefix('Value error, ')}"
            for item in error.errors(include_url=False, include_input=False)[:10]
        )
        raise SettingsInvalid(
            f'Cannot use the settings of webhooks of "{name}": {problems}. Correct '
            "these keys, as docs/webhooks.md describes them."
        ) from error
