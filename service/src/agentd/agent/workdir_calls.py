# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""The calls by which control has worktrees made, given back, listed and removed."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TypeVar

from agentd.agent import command
from agentd.agent.log import Log
from agentd.agent.settings import AgentSettings
from agentd.agent.workdir_parameters import (
    Given,
    a_flag,
    a_limit,
    base_of,
    holder_of,
    seconds,
    tree_of,
    trees_of,
)
from agentd.spawner.dial import Call, CallFailed
from agentd.workdirs.clones import CloneFailed
from agentd.workdirs.git import Git, GitFailed
from agentd.workdirs.listing import MAX_PAGE, clones, dirt_of, list_clones, list_trees
from agentd.workdirs.locks import Busy, GivenUp, TreeLocks
from agentd.workdirs.names import RepositoryName
from agentd.workdirs.places import Places, places_of, set_aside
from agentd.workdirs.recovery import is_dirty
from agentd.workdirs.removal import (
    Removed,
    remove_tree,
    strays,
    sweep_clone,
    sweep_directories,
    sweep_drafts,
)
from agentd.workdirs.state import look
from agentd.workdirs.steps import Wanted
from agentd.workdirs.trees import acquire, as_it_is

# A removal hashes what is to be saved; what takes longer is set aside as it is.
REMOVE_SECONDS = 120.0
LIST_SECONDS = 20.0
SWEEP_SECONDS = 300.0
REMOVER = "removal"
WORKERS = 4

T = TypeVar("T")
Tree = tuple[RepositoryName, str]


class WorkdirCalls:
    """Works on one thing of each clone at a time, beside the event loop."""

    def __init__(
        self, settings: AgentSettings, log: Log, locks: TreeLocks, places: Places
    ) -> None:
        self._places = places
        self._environment = command.own_git_environment(settings)
        self._log = log
        self._locks = locks
        self._pool = ThreadPoolExecutor(WORKERS, thread_name_prefix="workdirs")
        self._clones: dict[Path, tuple[asyncio.Lock, int]] = {}

    async def acquire(self, given: Given) -> Given:
        """Hold a worktree and make it ready; whoever asked for it gives it back."""
        self._demand_room()
        repository, branch = tree_of(given)
        holder = holder_of(given)
        tree = self._places.tree(repository, branch)
        waits = seconds(given, "timeout_seconds", 60.0)
        prepares = seconds(given, "prepare_seconds", 600.0)
        fetches = seconds(given, "fetch_seconds", 0.0)
        wanted = Wanted(repository, branch, base_of(given), fetches)
        try:
            await self._locks.take(tree, holder, waits)
        except (Busy, GivenUp) as error:
            why = str(error) or "whoever asked for it wants it no more"
            raise CallFailed(
                f"busy: the work directory of {branch} in {repository}: {why}."
            ) from error
        wanted = replace(wanted, quiet=not self._locks.in_use(tree))
        try:
            acquired = None
            if a_flag(given, "live"):
                # Its CLI works there: who fetches for another must not hold it up.
                acquired = await asyncio.to_thread(as_it_is, self._places, wanted)
            if acquired is None:
                acquired = await self._work(
                    repository, prepares, lambda git: acquire(self._places, git, wanted)
                )
        except BaseException:
            self._locks.give(tree, holder)
            raise
        for notice in acquired.notices:
            self._log.event("warning", "workdir_notice", notice=notice)
        if not self._locks.is_held_by(tree, holder):
            raise CallFailed("busy: the work directory was given back meanwhile.")
        return acquired.for_output()

    async def release(self, given: Given) -> Given:
        """Give a worktree back, and remove it unless it is to be kept."""
        repository, branch = tree_of(given)
        tree = self._places.tree(repository, branch)
        released = self._locks.give(tree, holder_of(given))
        keep = a_flag(given, "keep", default=True)
        removed = None
        if not keep and self._locks.seize(tree, REMOVER):
            removed = await self._remove((repository, branch))
        return {"released": released, "removed": bool(removed and removed.removed)}

    async def remove(self, given: Given) -> Given:
        """Remove worktrees that nobody uses, having saved their work.

        Without ``force``, one with work that is not committed is kept.
        """
        force = a_flag(given, "force")
        answer: dict[str, list[dict[str, str]]]
        answer = {"removed": [], "busy": [], "saved": [], "kept": [], "failed": []}
        for repository, branch in trees_of(given):
            named = {"repository": str(repository), "branch": branch}
            if not self._locks.seize(self._places.tree(repository, branch), REMOVER):
                answer["busy"].append(named)
                continue
            try:
                removed = await self._remove((repository, branch), force=force)
            except CallFailed as error:
                answer["failed"].append({**named, "error": str(error)})
                answer["busy"].append(named)
                continue
            if removed is None:
                answer["kept"].append(named)
                continue
            if removed.removed:
                answer["removed"].append(named)
            for place in removed.saved:
                answer["saved"].append({**named, "recovered": place})
        return answer

    async def _remove(self, tree: Tree, *, force: bool = True) -> Removed | None:
        path = self._places.tree(*tree)
        clone = self._places.clone(tree[0])

        def deed(git: Git) -> Removed | None:
            attached = look(path, clone).admin is not None
            if not force and attached and is_dirty(git, path):
                return None
            return remove_tree(self._places, git, *tree)

        try:
            return await self._work(tree[0], REMOVE_SECONDS, deed)
        finally:
            self._locks.give(path, REMOVER)

    async def list_all(self, given: Given) -> Given:
        """List worktrees page by page, and with the first page the clones."""
        after = given.get("after")
        if after is not None and not isinstance(after, str):
            raise CallFailed("after has to be the name that a page ended with.")
        rows, more = await asyncio.to_thread(
            list_trees, self._places, after, a_limit(given, MAX_PAGE)
        )
        git = Git(self._environment, LIST_SECONDS)
        trees = []
        for row in rows:
            dirty = await self._run(git, partial(dirt_of, tree=row.path))
            held = self._locks.is_held(row.path)
            trees.append(row.for_output(held=held, dirty=dirty))
        found = []
        if after is None:
            found = await asyncio.to_thread(list_clones, self._places)
        return {"trees": trees, "clones": found, "more": more}

    async def sweep(self, given: Given) -> Given:
        """Remove what was saved longer ago than is asked."""
        older = seconds(given, "older_than_seconds", 86_400.0)
        dry_run = a_flag(given, "dry_run")
        branches: list[str] = []
        for forge, owner, name, path in await asyncio.to_thread(
            lambda: list(clones(self._places))
        ):
            repository = RepositoryName(forge, owner, name)
            try:
                deed = partial(sweep_clone, clone=path, older=older, dry_run=dry_run)
                swept = await self._work(repository, SWEEP_SECONDS, deed)
            except CallFailed as error:
                self._log.event("warning", "recovered_not_swept", error=str(error))
                continue
            branches += [f"{repository} {branch}" for branch in swept]
        if not dry_run:
            await self._set_strays_aside()
            await asyncio.to_thread(sweep_drafts, self._places, older)
        directories = await asyncio.to_thread(
            partial(sweep_directories, self._places, older, dry_run=dry_run)
        )
        return {"branches": branches[:1000], "directories": directories[:1000]}

    async def _set_strays_aside(self) -> None:
        for forge, path in await asyncio.to_thread(strays, self._places):
            # Its record may be damaged while it is worked in.
            if not self._locks.is_held(path):
                with suppress(OSError):
                    kept = set_aside(self._places, forge, path)
                    self._log.event("warning", "workdir_stray", kept=str(kept))

    async def _work(
        self, repository: RepositoryName, limit: float, deed: Callable[[Git], T]
    ) -> T:
        """Do something with a clone that nobody else works on; raise CallFailed."""
        path = self._places.clone(repository)
        lock, users = self._clones.get(path, (asyncio.Lock(), 0))
        self._clones[path] = (lock, users + 1)
        loop = asyncio.get_running_loop()
        end = loop.time() + limit
        try:
            async with asyncio.timeout_at(end):
                await lock.acquire()
            try:
                return await self._run(Git(self._environment, end - loop.time()), deed)
            finally:
                lock.release()
        except TimeoutError as error:
            raise CallFailed(
                f"busy: the clone of {repository} is worked on for {limit:g} s."
            ) from error
        finally:
            _lock, users = self._clones.pop(path)
            if users > 1:
                self._clones[path] = (lock, users - 1)

    async def _run(self, git: Git, deed: Callable[[Git], T]) -> T:
        """Run it in a thread; if the call is given up, git ends before that is over."""
        loop = asyncio.get_running_loop()
        work = loop.run_in_executor(self._pool, deed, git)
        try:
            return await asyncio.shield(work)
        except asyncio.CancelledError:
            git.stop()
            await asyncio.wait([work])
            raise
        except CloneFailed as error:
            raise CallFailed(str(error)) from error
        except GitFailed as error:
            raise CallFailed(
                f"{error}. Look at the room and the owners of {self._places.root}."
            ) from error
        except OSError as error:
            raise CallFailed(
                f"{error.filename}: {error.strerror} as uid {os.geteuid()}. Look at "
                f"the room and the owners of {self._places.root} (workdirs_directory)."
            ) from error

    def _demand_room(self) -> None:
        if not self._places.root.is_dir():
            raise CallFailed(
                f"{self._places.root} is not there. Mount the work directories into "
                "this agent: deploy again, or correct workdirs_directory."
            )


def workdir_calls(
    settings: AgentSettings, log: Log, locks: TreeLocks
) -> Mapping[str, Call]:
    """Return the calls by name; the locks are those that a CLI's start looks at."""
    calls = WorkdirCalls(settings, log, locks, places_of(settings))
    return {
        "acquire_workdir": calls.acquire,
        "release_workdir": calls.release,
        "remove_workdirs": calls.remove,
        "list_workdirs": calls.list_all,
        "sweep_recovered": calls.sweep,
    }
