# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""How webhooks of a sender are taken: its settings, held against the deployment's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from agentd.definitions.webhooks import Webhooks
from agentd.errors import (
    AgentUnknown,
    DefinitionsFailed,
    DefinitionUnknown,
    SettingsInvalid,
    UploadRefused,
    WebhookUnknown,
)
from agentd.settings import ControlSettings, read_secret
from agentd.webhook_settings import MIN_SECRET, WebhookSettings, webhook_settings
from agentd.webhooks.judge import Bench
from agentd.webhooks.values import Source

KINDS = {"forgejo": ("forgejo",), "github": ("github",), "jira": ("forgejo", "github")}
NONE_TAKEN = (
    'No webhooks of "{source}" are taken here. Put their settings there with '
    "PUT /api/registry/webhooks/{source}, and enable them."
)
NO_FORGE = (
    'Cannot use the settings of webhooks of "{source}": {what}. Declare it in '
    "deployment_forges, and deploy again."
)


@dataclass(frozen=True)
class Setup:
    """What a sender's webhooks are checked and judged by."""

    bench: Bench
    secrets: tuple[str, ...] = field(repr=False)


def setup_of(source: Source, kept: Webhooks, control: ControlSettings) -> Setup:
    """Return how webhooks of a sender are taken.

    Raise WebhookUnknown if none are, or DefinitionsFailed if they cannot be.
    """
    try:
        settings = usable_settings(source, kept.read(source), control)
    except DefinitionUnknown:
        raise WebhookUnknown(NONE_TAKEN.format(source=source)) from None
    except SettingsInvalid as error:
        raise DefinitionsFailed(str(error)) from error
    if not settings.enabled:
        raise WebhookUnknown(NONE_TAKEN.format(source=source))
    forge = settings.forge or _forge_of(source, control)
    agent = settings.agent or control.agents[0].name
    bench = Bench(source, settings, agent, forge, control.forges)
    return Setup(bench, _secrets(settings))


def demand_usable(
    source: str, values: Mapping[str, object], control: ControlSettings
) -> None:
    """Raise UploadRefused for settings that no webhook could be taken with."""
    try:
        usable_settings(source, values, control)
    except SettingsInvalid as error:
        raise UploadRefused(str(error)) from error


def usable_settings(
    source: str, values: Mapping[str, object], control: ControlSettings
) -> WebhookSettings:
    """Return settings whose agents and forge are declared; raise SettingsInvalid."""
    settings = webhook_settings(source, values)
    for name in (settings.agent, *(rule.agent for rule in settings.rules)):
        if name is not None:
            _demand_agent(source, name, control)
    if settings.forge is not None and settings.forge not in control.forges:
        what = f'forge "{settings.forge}" is not declared'
        raise SettingsInvalid(NO_FORGE.format(source=source, what=what))
    return settings


def _demand_agent(source: str, name: str, control: ControlSettings) -> None:
    try:
        control.agent(name)
    except AgentUnknown as error:
        raise SettingsInvalid(
            f'Cannot use the settings of webhooks of "{source}": {error}'
        ) from error


def _forge_of(source: Source, control: ControlSettings) -> str:
    kinds = KINDS[source]
    for name, forge in control.forges.items():
        if forge.kind in kinds:
            return name
    what = f"no forge of the kind {' or '.join(kinds)} is declared"
    raise DefinitionsFailed(NO_FORGE.format(source=source, what=what))


def _demand_long(path: str, secret: str) -> None:
    if len(secret) < MIN_SECRET:
        raise SettingsInvalid(
            f'Cannot use the secret "{path}": it has fewer than {MIN_SECRET} '
            "characters, and could be guessed. Set a longer one there and at the "
            "sender."
        )


def _secrets(settings: WebhookSettings) -> tuple[str, ...]:
    try:
        if settings.secret_file is not None:
            first = read_secret(settings.secret_file, "secret_file")
            _demand_long(settings.secret_file, first)
        else:
            first = settings.secret or ""
    except SettingsInvalid as error:
        raise DefinitionsFailed(str(error)) from error
    former = settings.former_secret
    return (first,) if former is None else (first, former)
