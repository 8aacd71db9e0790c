# Copyright: (c) 2026, The Agentkeep authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A sweep as the agent service told it, and what it changes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Mapping

from .._errors import ServiceRefused
from .._plan import NOTHING, Plan

COUNTS = (
    "sessions",
    "trees",
    "clones",
    "recovered",
    "transcripts",
    "files",
    "bytes",
    "skipped",
    "questions",
)
REMOVED = ("sessions", "trees", "recovered", "transcripts", "files")
REASONS = {"closed": "its issue is closed", "age": "too old", "orphan": "nobody's"}


@dataclass(frozen=True)
class Swept:
    """Hold what one sweep removed, or would remove."""

    told: Mapping[str, Any]
    counts: Mapping[str, int]

    @property
    def changes(self) -> bool:
        """Return whether anything went, or would."""
        return any(self.counts[name] for name in REMOVED)

    def for_output(self) -> Mapping[str, Any]:
        """Return what the module returns."""
        return {
            "host": self.told.get("host"),
            "dry_run": self.told.get("dry_run"),
            "started_at": self.told.get("started_at"),
            "finished_at": self.told.get("finished_at"),
            "counts": dict(self.counts),
            "candidates": list(self.told["candidates"]),
            "more_candidates": bool(self.told.get("more_candidates")),
            "warnings": [str(one) for one in self.told.get("problems") or ()],
        }

    def lines(self) -> list[str]:
        """Return what goes, one line for each."""
        return [_line(one) for one in self.told["candidates"]]


def swept_of(body: Any) -> Swept:
    """Given the answer to a sweep, return it; raise ServiceRefused if it is none."""
    told = body if isinstance(body, Mapping) else {}
    counts, candidates = told.get("counts"), told.get("candidates")
    if not isinstance(counts, Mapping) or not isinstance(candidates, list):
        raise ServiceRefused(
            "Cannot understand the sweep",
            "the answer is not what agentd answers",
            "Check that url is the address of control and not of something else.",
        )
    return Swept(told, {name: int(counts.get(name) or 0) for name in COUNTS})


def plan_sweep(would: Swept) -> Plan:
    """Given a dry run, return the plan: everything that it found goes."""
    lines = would.lines()
    return Plan(
        action="sweep" if would.changes else NOTHING,
        changed=would.changes,
        before={"kept": lines},
        after={"kept": []} if would.changes else {"kept": lines},
        reasons=tuple(lines[:10]),
        output=would.for_output(),
    )


def _line(one: Mapping[str, Any]) -> str:
    where = [str(one.get("agent"))]
    if one.get("repository"):
        issue = f"#{one['issue']}" if one.get("issue") else ""
        branch = f" on {one['branch']}" if one.get("branch") else ""
        where.append(f"{one['repository']}{issue}{branch}")
    if one.get("name"):
        where.append(str(one["name"]))
    count = "" if one.get("count", 1) == 1 else f"{one['count']} times "
    reason = REASONS.get(str(one.get("reason")), "")
    return f"{count}{one.get('kind')} of {', '.join(where)} ({reason})"
