# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""The organisation's persona, which each CLI gets with its system prompt."""

from __future__ import annotations

from pathlib import Path

from agentd.agent.hostile_files import FileUnusable, read_small
from agentd.agent.settings import AgentSettings
from agentd.agent.start import MAX_PROMPT_BYTES

NAME = "CLAUDE.md"


class PersonaUnusable(Exception):
    """The organisation has a persona that cannot be given to the CLI."""


def org_persona(settings: AgentSettings) -> str | None:
    """Return the text of the organisation's persona, or None if there is none.

    Raise PersonaUnusable rather than let an agent run without its rules or with
    half of them.
    """
    path = Path(settings.org_directory) / NAME
    try:
        content = read_small(path, MAX_PROMPT_BYTES)
        text = "" if content is None else content.decode("utf-8").strip()
        if "\0" in text:
            raise FileUnusable(f"{path} holds a NUL")
    except (FileUnusable, UnicodeDecodeError) as error:
        raise PersonaUnusable(
            f"Cannot use the organisation's persona {path}: {error}. Put a regular "
            f"file of UTF-8 text of at most {MAX_PROMPT_BYTES} bytes there."
        ) from error
    return text or None
