# Copyright: (c) 2026, The Agentkeep authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What has to change so that a layout is as declared."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Iterator, Mapping

from .._plan import NOTHING, Plan
from .layout import Directory, Layout
from .marker import LAYOUT_VERSION, MARKER_FILE, Marker
from .succession import demand_same_owners

ROOT_MODE = 0o755
MARKER_MODE = 0o644


@dataclass(frozen=True)
class Found:
    """Hold owner and mode of a directory that exists."""

    uid: int
    gid: int
    mode: int

    def for_output(self) -> dict[str, str]:
        """Return owner and mode as one reads them."""
        return {"owner": f"{self.uid}:{self.gid}", "mode": f"{self.mode:04o}"}


@dataclass(frozen=True)
class Reading:
    """Hold what is on the host: missing parts of the data root, and the rest."""

    missing: tuple[str, ...] = ()
    found: Mapping[str, Found] = field(default_factory=dict)
    marker: Marker | None = None
    stale: frozenset[int] = frozenset()
    foreign: Mapping[str, int] = field(default_factory=dict)

    def with_made(
        self, plan: Plan, layout: Layout, before: Found | None = None
    ) -> Reading:
        """Return the reading without what *plan* made to be able to lock.

        *before* is the deployment's directory as it was when it was somebody else's.
        """
        made = [change.path for change in plan.steps if change.action == "create"]
        found = dict(self.found)
        if layout.root in made:
            found.pop(layout.deployment, None)
        elif before is not None:
            found[layout.deployment] = before
        above = tuple(path for path in made if not path.startswith(layout.root))
        return replace(self, missing=above, found=found)


@dataclass(frozen=True)
class Change:
    """Hold one step: make, correct, repair or write the thing at a path."""

    path: str
    entry: str
    action: str
    before: Mapping[str, Any] | None
    after: Mapping[str, Any]
    directory: Directory | None = None

    def for_output(self) -> dict[str, Any]:
        """Return the change for the module's result."""
        return {
            "path": self.path,
            "entry": self.entry,
            "action": self.action,
            "before": self.before,
            "after": self.after,
        }


def plan_layout(current: Reading | None, layout: Layout) -> Plan:
    """Given what is and what is declared, return the changes, parents first."""
    reading = current or Reading()
    marker = layout.marker.following(reading.marker)
    if not layout.repair:
        demand_same_owners(reading.marker, layout.marker, layout.root)
    changes = list(_roots(reading))
    # The first marker comes before what it protects, and a new one after what it tells:
    # an interrupted repair is then still due.
    if reading.marker is None:
        changes += _marker(reading, layout)
    counts = {"created": 0, "changed": 0, "unchanged": 0}
    for directory in layout.directories:
        change = _change(directory, reading.found.get(directory.path), layout)
        if change is None:
            counts["unchanged"] += directory.path in reading.found
        else:
            counts["created" if change.action == "create" else "changed"] += 1
            changes.append(change)
    changes += _repairs(reading, layout)
    if reading.marker is not None:
        changes += _marker(reading, layout)
    return Plan(
        action="lay out" if changes else NOTHING,
        changed=bool(changes),
        before={change.path: change.before for change in changes},
        after={change.path: change.after for change in changes},
        reasons=tuple(_reason(change) for change in changes[:10]),
        steps=tuple(changes),
        output={
            "root": layout.root,
            "id": marker.id,
            "layout_version": LAYOUT_VERSION,
            "counts": counts,
            "changes": [change.for_output() for change in changes],
        },
    )


def _roots(reading: Reading) -> Iterator[Change]:
    for path in reading.missing:
        yield Change(
            path=path,
            entry="",
            action="create",
            before=None,
            after=Found(uid=0, gid=0, mode=ROOT_MODE).for_output(),
        )


def _marker(reading: Reading, layout: Layout) -> list[Change]:
    earlier = reading.marker
    wanted = layout.marker.following(earlier).for_output()
    found = earlier.for_output() if earlier and earlier.id else None
    if not layout.managed or found == wanted:
        return []
    return [
        Change(
            path=f"{layout.root}/{MARKER_FILE}",
            entry="",
            action="write",
            before=earlier.for_output() if earlier else None,
            after=wanted,
        )
    ]


def _change(directory: Directory, found: Found | None, layout: Layout) -> Change | None:
    wanted = Found(uid=directory.uid, gid=directory.gid, mode=directory.mode)
    if found == wanted or (found is None and directory.when_present):
        return None
    return Change(
        path=f"{layout.data_root}/{directory.path}",
        entry=directory.entry,
        action="create" if found is None else "correct",
        before=None if found is None else found.for_output(),
        after=wanted.for_output(),
        directory=directory,
    )


def _repairs(reading: Reading, layout: Layout) -> Iterator[Change]:
    for directory in layout.repaired:
        foreign = reading.foreign.get(directory.path, 0)
        if foreign:
            yield Change(
                path=f"{layout.data_root}/{directory.path}",
                entry=directory.entry,
                action="repair",
                before={"foreign": foreign},
                after={"foreign": 0, "owner": f"{directory.uid}:{directory.gid}"},
                directory=directory,
            )


def _reason(change: Change) -> str:
    return f"{change.action} {change.path}: {change.before} -> {change.after}"
