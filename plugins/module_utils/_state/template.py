# Copyright: (c) 2026, The Agentkeep authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Text with {placeholders} in it."""

from __future__ import annotations

import re
from typing import Any, Mapping

PLACEHOLDER = re.compile(r"\{([a-z][a-z0-9_]{0,31})\}")
RESERVED = frozenset(("agent", "deployment", "source", "volume"))


def is_placeholder(word: Any) -> bool:
    """Return whether *word* can stand between braces."""
    return isinstance(word, str) and PLACEHOLDER.fullmatch(f"{{{word}}}") is not None


def placeholders(template: str) -> set[str]:
    """Return the words that the template has between braces."""
    return set(PLACEHOLDER.findall(template))


def plain(template: Any) -> Any:
    """Return the template with a letter for each placeholder, to check the rest."""
    return PLACEHOLDER.sub("x", template) if isinstance(template, str) else template


def filled(template: str, values: Mapping[str, str]) -> str:
    """Return the template with its values; raise KeyError with the missing word."""
    return PLACEHOLDER.sub(lambda found: values[found.group(1)], template)
