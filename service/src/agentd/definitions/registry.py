# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""All that is uploaded, of one deployment."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from agentd.definitions.places import definition_tiers, skill_tiers
from agentd.definitions.store import Store
from agentd.definitions.values import AGENTS, SKILLS, Kind, UploadLimits
from agentd.definitions.webhooks import Webhooks
from agentd.errors import DefinitionsFailed
from agentd.log import get_log
from agentd.settings import ControlSettings
from agentd.webhooks.setup import demand_usable

log = get_log("definitions")


@dataclass(frozen=True)
class Registry:
    """Definitions, skills and settings of webhooks."""

    agents: Store
    skills: Store
    webhooks: Webhooks

    def of(self, kind: Kind) -> Store:
        """Return what is there of a kind."""
        return self.agents if kind is AGENTS else self.skills

    def settle(self) -> None:
        """Put right what a kill left half-way; a fault is logged, and shown later."""
        for store in (self.agents, self.skills):
            try:
                store.settle()
            except DefinitionsFailed as error:
                log.warning("definitions_not_settled", error=str(error))
        try:
            self.webhooks.settle()
        except OSError as error:
            log.warning("webhooks_not_settled", error=str(error))


def registry_of(settings: ControlSettings) -> Registry:
    """Return the registry that the settings describe."""
    limits = UploadLimits(settings.upload_max_bytes, settings.upload_max_files)
    return Registry(
        agents=Store(AGENTS, definition_tiers(settings), limits),
        skills=Store(SKILLS, skill_tiers(settings), limits),
        webhooks=Webhooks(
            Path(settings.definitions_directory) / "webhooks",
            lambda name, values: demand_usable(name, values, settings),
        ),
    )
