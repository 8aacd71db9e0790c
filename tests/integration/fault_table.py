# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Every fault that is injected for real: what is done, and what must be found."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine_api import Order, make_anew
from modules import Declaration

RECREATED = "recreated"
UNCHANGED = "unchanged"


@dataclass(frozen=True)
class Case:
    """One agent of a deployment, which carries one fault."""

    declaration: Declaration
    agent: str
    other_image: str

    @property
    def service(self) -> str:
        """Return the short name of its container."""
        return f"agent-{self.agent}"

    @property
    def container(self) -> str:
        """Return the full name of its container."""
        return f"{self.declaration.project}-{self.service}"

    def directory(self, source: str = "memory") -> Path:
        """Return one of its directories on the host."""
        return self.declaration.directory / "agents" / self.agent / source


@dataclass(frozen=True)
class Fault:
    """A fault: in which field, what is done, how it is reported and healed.

    ``found`` holds field and kind of every reason that must be given, and no other may
    be. ``healed`` is what a real run does with the container, ``laid`` what it does
    with the agent's directories, in state_layout's words, and ``files`` with its files.
    """

    field: str
    change: str
    what: str
    inject: Callable[[Case], object]
    found: frozenset[tuple[str, str]]
    healed: str = RECREATED
    laid: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    service: Mapping[str, Any] = dataclasses.field(default_factory=dict)

    @property
    def name(self) -> str:
        """Return the fault's name."""
        return f"{self.field}: {self.what}"


BY_KIND = ("environment", "labels", "mounts")
KINDS = {"added": "extra", "removed": "missing", "altered": "changed"}


def altered(
    field: str,
    change: str,
    what: str,
    alter: Callable[[Order, Case], object],
    service: Mapping[str, Any] | None = None,
) -> Fault:
    """Return the fault of a container made with one thing of its order altered."""
    kind = KINDS[change] if field in BY_KIND else "changed"
    return Fault(
        field=field,
        change=change,
        what=what,
        inject=lambda case: make_anew(case.container, lambda order: alter(order, case)),
        found=frozenset({(field, kind)}),
        service=service or {},
    )


def row(fault: Fault) -> str:
    """Return the fault's line in docs/faults.md."""
    seen = {f"{field}, {kind}" for field, kind in fault.found}
    seen |= {f"directory, {step}" for step in fault.laid}
    seen |= {f"file, {step}" for step in fault.files}
    return (
        f"| {fault.field} | {fault.what} | {'; '.join(sorted(seen))} | {fault.healed} |"
    )
