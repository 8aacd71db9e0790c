# Copyright: (c) 2026, The Agentkeep authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a run has begun, so that the next one can finish or undo it."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace

BEGUN = "begun"
PREPARED = "prepared"
STOPPED = "stopped"
COPIED = "copied"
WRITTEN = "written"
REPLACED = "replaced"
VERIFIED = "verified"
UNDOING = "undoing"
STUCK = "stuck"
STEPS = (BEGUN, PREPARED, STOPPED, COPIED, WRITTEN, REPLACED, VERIFIED, UNDOING, STUCK)


@dataclass(frozen=True)
class Journal:
    """Hold how far a run came on its way from one release to another.

    ``copied`` says that the databases of the release *before* are safe; from then on
    the copy is never made anew, because the new containers may have changed them.
    """

    to: str
    before: str | None = None
    step: str = BEGUN
    copied: bool = False
    mark: str = ""
    touched: tuple[str, ...] = ()
    why: str = ""

    def at(self, step: str) -> Journal:
        """Return the journal with another step done."""
        return replace(self, step=step, copied=self.copied or step == COPIED)

    @property
    def undoes(self) -> bool:
        """Return whether the run was on its way back."""
        return self.step == UNDOING

    def text(self) -> str:
        """Return the journal as it is kept."""
        return json.dumps(asdict(self)) + "\n"

    @classmethod
    def from_text(cls, text: bytes | None) -> Journal | None:
        """Given what was kept, return the journal; None if there is none."""
        if text is None:
            return None
        try:
            kept = json.loads(text.decode("utf-8"))
            kept["touched"] = tuple(kept["touched"])
            return cls(**kept)
        except (ValueError, KeyError, TypeError):
            # Journals are replaced whole; one that cannot be read tells nothing.
            return cls(to="", step=BEGUN)
