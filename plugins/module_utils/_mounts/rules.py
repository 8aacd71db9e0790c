# Copyright: (c) 2026, The Agentkeep authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether an operator's mount is allowed, how, and why."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Tuple, Union

from .allowlist import Allowlist, Root, blocked_part
from .guarded import Guarded, is_within, swapper, touching
from .host import FoundPath
from .mount import OPERATOR, EffectiveMount, RefusedMount
from .request import Request

Decided = Union[EffectiveMount, RefusedMount]
Fault = Tuple[str, str]
LOGIN = "a login of this host or the engine itself"
SWAPPED = "where an agent could put something else in its place"
INSIST = (
    "Mount another directory, or set allow_sensitive_mounts if every agent that gets "
    "it may act as you."
)


@dataclass(frozen=True)
class Rules:
    """Hold what decides about mounts: the allowlist, what is guarded, and who may not.

    ``unusable`` says why there is no allowlist to go by; then nothing is allowed.
    ``roots`` are the allowed roots with the paths that they really are.
    """

    guarded: Guarded
    allowlist: Allowlist = field(default_factory=Allowlist)
    unusable: str = ""
    roots: tuple[tuple[Root, str], ...] = ()
    allow_sensitive: bool = False
    uids: frozenset[int] = frozenset()
    gids: frozenset[int] = frozenset()

    def decide(self, request: Request, found: FoundPath) -> Decided:
        """Return the mount that takes effect, or the refusal with its reason."""
        fault = (
            self._fault_of_request(request)
            or _fault_of_source(request, found, self.allow_sensitive)
            or self._fault_of_place(request, found)
        )
        matched = self._root_of(found.resolved)
        if not fault and matched is None:
            names = ", ".join(f'"{path}"' for _root, path in self.roots) or "none"
            fault = (
                f'"{found.resolved}" is below no allowed root ({names})',
                "Add a root to the allowlist, or mount another directory.",
            )
        if fault or matched is None:
            why, remedy = fault or ("", "")
            return _refusal(request, why, remedy)
        return _allowed(request, found, matched)

    def _fault_of_request(self, request: Request) -> Fault | None:
        if self.unusable:
            return self.unusable, "Write the allowlist; it is read anew at each run."
        if request.fault:
            return request.fault, "Correct target in operator_mounts."
        return None

    def _fault_of_place(self, request: Request, found: FoundPath) -> Fault | None:
        path = found.resolved
        for one in (path, request.source):
            blocked = blocked_part(one, self.allowlist.patterns)
            if blocked:
                part, pattern = blocked
                why = f'"{part}" in "{one}" is blocked by the pattern "{pattern}"'
                return why, "Mount a directory that holds no secrets."
        never = touching(path, self.guarded.never())
        if never:
            why = f'"{path}" is, holds or lies in "{never}", which no container gets'
            return why, "Mount another directory."
        sensitive = touching(path, self.guarded.sensitive())
        if sensitive and not self.allow_sensitive:
            why = f'"{path}" is, holds or lies in "{sensitive}", {LOGIN}'
            return why, INSIST
        swapped = swapper(found, self.uids, self.gids)
        if swapped:
            why = f'the way to "{path}" leads through "{swapped}", {SWAPPED}'
            return why, "Let root own that directory, and nobody else write to it."
        return None

    def _root_of(self, path: str) -> tuple[Root, str] | None:
        """Return the most specific root that holds a path (C04)."""
        holding = [one for one in self.roots if is_within(path, one[1])]
        return max(holding, key=lambda one: len(one[1])) if holding else None


def _fault_of_source(
    request: Request, found: FoundPath, allow_sensitive: bool
) -> Fault | None:
    if found.fault:
        return found.fault, "Correct source in operator_mounts."
    if not found.exists:
        return (
            f'its source "{request.source}" does not exist',
            "Make it first; a source is never made by a mount.",
        )
    if found.kind == "other" and not allow_sensitive:
        return (
            f'"{found.resolved}" is neither a directory nor a file',
            "Mount a directory.",
        )
    return None


def _refusal(request: Request, why: str, remedy: str) -> RefusedMount:
    return RefusedMount(
        component=request.component,
        agent=request.agent,
        source=request.source,
        target=request.target,
        requested=request.access,
        reason=why,
        remedy=remedy,
    )


def _allowed(
    request: Request, found: FoundPath, matched: tuple[Root, str]
) -> EffectiveMount:
    root, path = matched
    effective, reason = "ro", "read-only as asked for"
    if request.access == "rw" and root.allow_read_write:
        effective, reason = "rw", f'the allowed root "{path}" allows writing'
    elif request.access == "rw":
        reason = f'read-only since the allowed root "{path}" does not allow writing'
    return EffectiveMount(
        component=request.component,
        agent=request.agent,
        entry=request.name,
        type="bind",
        source=found.resolved,
        target=request.target,
        requested=request.access,
        effective=effective,
        origin=OPERATOR,
        root=path,
        reason=reason,
        purpose=request.purpose,
    )
