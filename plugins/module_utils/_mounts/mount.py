# Copyright: (c) 2026, The Agentkeep authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One mount of one container, as it takes effect."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

BUILT_IN = "built-in"
OPERATOR = "operator"


@dataclass(frozen=True)
class EffectiveMount:
    """Hold one mount: who sees what, where, how, and why.

    ``source`` is the resolved path on the host or the name of a volume, ``root`` the
    allowed root that it was found under. ``uid``, ``gid`` and ``mode`` are what its
    source must have on the host; None where it is not ours. ``options`` are passed to
    the engine and never count as drift.
    """

    component: str
    agent: str | None
    entry: str
    type: str
    source: str
    target: str
    requested: str
    effective: str
    origin: str = BUILT_IN
    root: str | None = None
    reason: str = ""
    purpose: str = ""
    uid: int | None = None
    gid: int | None = None
    mode: int | None = None
    options: tuple[str, ...] = ()

    @property
    def read_only(self) -> bool:
        """Return whether the container may only read it."""
        return self.effective == "ro"

    def for_output(self) -> dict[str, Any]:
        """Return the mount for a module's result."""
        return {
            "component": self.component,
            "agent": self.agent,
            "entry": self.entry,
            "type": self.type,
            "source": self.source,
            "target": self.target,
            "requested": self.requested,
            "effective": self.effective,
            "origin": self.origin,
            "root": self.root,
            "reason": self.reason,
            "purpose": self.purpose,
        }


@dataclass(frozen=True)
class RefusedMount:
    """Hold a mount that the operator asked for and does not get, and why."""

    component: str
    agent: str | None
    source: str
    target: str
    requested: str
    reason: str
    remedy: str = ""

    def for_output(self) -> dict[str, Any]:
        """Return the refused mount for a module's result."""
        return {
            "component": self.component,
            "agent": self.agent,
            "source": self.source,
            "target": self.target,
            "requested": self.requested,
            "reason": self.reason,
        }
