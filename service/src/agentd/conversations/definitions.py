# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""The definition of a conversation: kept, and looked for before each start."""

from __future__ import annotations

import os
from dataclasses import dataclass

from agentd.conversations.values import Ask
from agentd.definitions.names import wanted
from agentd.definitions.places import definition_tiers
from agentd.definitions.resolve import GONE, resolve
from agentd.errors import DefinitionFixed, DefinitionsFailed
from agentd.log import get_log
from agentd.settings import ControlSettings

log = get_log("turns")


@dataclass(frozen=True)
class Looked:
    """Whether control finds the definition, so that the agent's side has to as well."""

    found: bool = False
    notice: str | None = None


def demand_same(ask: Ask, definition: str | None, conversation_id: str) -> None:
    """Raise DefinitionFixed if another definition than the conversation's is asked."""
    if ask.definition is None or wanted(ask.definition) == definition:
        return
    has = "has no definition" if definition is None else f'has "{definition}"'
    raise DefinitionFixed(
        f'Conversation "{conversation_id}" {has}, not "{ask.definition}": it keeps '
        "the one that it began with. Leave definition out, or begin a conversation."
    )


def look(settings: ControlSettings, definition: str | None, *, resumes: bool) -> Looked:
    """Return whether a definition is there, and what to tell if not (P01).

    Raise DefinitionsFailed if nobody can know.
    """
    if definition is None:
        return Looked()
    try:
        warning = resolve(definition_tiers(settings), definition).warning
    except OSError as error:
        raise DefinitionsFailed(
            f'Cannot look for the definition "{definition}": {error.filename}: '
            f"{error.strerror} as uid {os.geteuid()}. Lay out the deployment's state "
            "again with repair."
        ) from error
    if warning is None:
        return Looked(found=True)
    log.warning("definition_unknown", definition=definition)
    return Looked(notice=GONE.format(name=definition) if resumes else warning)
