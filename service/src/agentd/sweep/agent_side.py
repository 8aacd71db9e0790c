# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""What a sweep has an agent's side list and remove; its answers are claims."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass

from agentd.sessions.identity import canonical_uuid
from agentd.spawner.protocol import Spawner
from agentd.sweep.values import TreeRow
from agentd.workdirs.names import NameRefused, RepositoryName, is_branch
from agentd.workdirs.names import parse_repository as parse

CALL_SECONDS = 120.0
# Each clone of the agent may be packed anew.
RECOVERED_SECONDS = 900.0
LIST_SECONDS = 120.0
TREES_AT_ONCE = 50
SESSIONS_AT_ONCE = 100
MAX_PAGES = 1000
MAX_TREES = 20_000
MAX_COUNT = 1 << 53


@dataclass(frozen=True)
class OldTranscript:
    """An old session on an agent's disk."""

    session_id: str
    modified_at: float
    bytes: int


@dataclass(frozen=True)
class Removed:
    """How many sessions went with their transcripts, and their bytes."""

    ids: tuple[str, ...]
    bytes: int


@dataclass(frozen=True)
class Pruned:
    """How many files of one area went, and their bytes."""

    area: str
    files: int
    bytes: int
    failed: int


@dataclass(frozen=True)
class ListedTree:
    """A worktree, with its repository by its whole name."""

    repository: RepositoryName
    branch: str
    used_at: float
    held: bool

    def row(self, agent: str, repository: str) -> TreeRow:
        """Return what decisions are made about."""
        return TreeRow(agent, repository, self.branch, self.used_at, self.held)


@dataclass(frozen=True)
class AgentSide:
    """One agent's side, as far as sweeps need it."""

    spawner: Spawner
    name: str

    @property
    def connected(self) -> bool:
        """Return whether it can be asked at all."""
        state = self.spawner.states().get(self.name)
        return state is not None and state.connected

    async def trees(self) -> list[ListedTree]:
        """Return the agent's worktrees; raise an error of its calls."""
        found: list[ListedTree] = []
        after: str | None = None
        for _page in range(MAX_PAGES):
            given = {"after": after, "limit": TREES_AT_ONCE}
            told = await self._call("list_workdirs", given, LIST_SECONDS)
            listed = _dicts(told, "trees", TREES_AT_ONCE)
            found += [tree for one in listed if (tree := _tree(one)) is not None]
            following = listed[-1].get("name") if listed else None
            if told.get("more") is not True or not isinstance(following, str):
                break
            if following <= (after or "") or len(found) > MAX_TREES:
                break
            after = following
        return found[:MAX_TREES]

    async def sweep_recovered(self, older_than_seconds: float, dry_run: bool) -> int:
        """Remove work that was saved longer ago than that; return how many places."""
        given = {"older_than_seconds": older_than_seconds, "dry_run": dry_run}
        told = await self._call("sweep_recovered", given, RECOVERED_SECONDS)
        return sum(_size(told.get(name)) for name in ("branches", "directories"))

    async def old_transcripts(
        self, older_than_seconds: float
    ) -> AsyncIterator[list[OldTranscript]]:
        """Yield the old sessions, page by page."""
        after: str | None = None
        for _page in range(MAX_PAGES):
            given = {
                "older_than_seconds": older_than_seconds,
                "after": after,
                "limit": SESSIONS_AT_ONCE,
            }
            told = await self._call("list_old_transcripts", given, LIST_SECONDS)
            listed = _dicts(told, "sessions", SESSIONS_AT_ONCE)
            yield [old for one in listed if (old := _old(one)) is not None]
            following = canonical_uuid(told.get("next"))
            if following is None or (after is not None and following <= after):
                return
            after = following

    async def remove_transcripts(
        self, old: Sequence[OldTranscript], dry_run: bool
    ) -> Removed:
        """Remove sessions that are still as they were listed, and not used."""
        sessions = [
            {"session_id": one.session_id, "modified_at": one.modified_at}
            for one in old
        ]
        given = {"sessions": sessions, "dry_run": dry_run}
        told = await self._call("remove_transcripts", given, CALL_SECONDS)
        asked = {one.session_id for one in old}
        listed = told.get("removed")
        names = listed if isinstance(listed, list) else []
        ids = {one for one in names if isinstance(one, str) and one in asked}
        return Removed(tuple(sorted(ids)), _number(told.get("bytes")))

    async def prune_files(
        self, ages: Mapping[str, float], dry_run: bool
    ) -> list[Pruned]:
        """Remove the CLI's other old files."""
        given = {"older_than_seconds": dict(ages), "dry_run": dry_run}
        told = await self._call("prune_files", given, CALL_SECONDS)
        areas = told.get("areas")
        known = areas if isinstance(areas, dict) else {}
        found = {name: known.get(name) for name in ages}
        return [
            Pruned(
                name,
                _number(one.get("files")),
                _number(one.get("bytes")),
                _number(one.get("failed")),
            )
            for name, one in found.items()
            if isinstance(one, dict)
        ]

    async def _call(
        self, name: str, given: Mapping[str, object], seconds: float
    ) -> dict[str, object]:
        return await self.spawner.call(self.name, name, given, timeout_seconds=seconds)


def _dicts(
    told: Mapping[str, object], name: str, most: int
) -> list[Mapping[str, object]]:
    found = told.get(name)
    listed = found[:most] if isinstance(found, list) else []
    return [one for one in listed if isinstance(one, dict)]


def _tree(one: Mapping[str, object]) -> ListedTree | None:
    repository, branch = one.get("repository"), one.get("branch")
    used = _float(one.get("used_at"))
    if not isinstance(repository, str) or not is_branch(branch) or used is None:
        return None
    try:
        name = parse(repository)
    except NameRefused:
        return None
    # Whatever is no plain False is held.
    return ListedTree(name, str(branch), used, one.get("held") is not False)


def _old(one: Mapping[str, object]) -> OldTranscript | None:
    session_id = canonical_uuid(one.get("session_id"))
    modified = _float(one.get("modified_at"))
    if session_id is None or modified is None:
        return None
    return OldTranscript(session_id, modified, _number(one.get("bytes")))


def _float(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if abs(value) < 1e15 else None


def _number(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        return 0
    return min(max(value, 0), MAX_COUNT)


def _size(value: object) -> int:
    return len(value) if isinstance(value, list) else _number(value)
