# Copyright: (c) 2026, The Agentkeep authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One difference between what is declared and what is there."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

RECREATE = "recreate"
LAYOUT = "layout"
START = "start"
MASK = "•••"
SECRET_NAME = re.compile(
    r"KEY|TOKEN|SECRET|PASSW|CREDENTIAL|AUTH|_URL\Z|DSN", re.IGNORECASE
)


@dataclass(frozen=True)
class Difference:
    """Hold one difference: the field, what it is about, what is, what must be.

    ``subject`` is the variable, target, label or option that differs within the field,
    ``kind`` is changed, missing or extra, and for the field source one of missing,
    replaced, deleted, owner, mode, not_mounted and mode_mismatch. ``heal`` is what
    puts it right: recreate, layout (state_layout) or start.
    """

    field: str
    old: Any
    new: Any
    heal: str = RECREATE
    kind: str = "changed"
    subject: str = ""

    def for_output(self) -> dict[str, Any]:
        """Return the difference as a reason in a module's result."""
        return {
            "field": self.field,
            "subject": self.subject,
            "kind": self.kind,
            "old": self.old,
            "new": self.new,
        }


def masked(name: str, value: str) -> str:
    """Return the value of a variable unless its name says that it is a secret."""
    return MASK if SECRET_NAME.search(name) else value
