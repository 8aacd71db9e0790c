# Copyright: (c) 2026, The Agentkeep authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A deployment brought to what is declared, or back to what it was."""

from __future__ import annotations

import time
from dataclasses import replace

from .._deploy.decide import Verdict, decide
from .._deploy.demands import demand_possible
from .._deploy.journal import (
    COPIED,
    PREPARED,
    REPLACED,
    STOPPED,
    STUCK,
    VERIFIED,
    WRITTEN,
    Journal,
)
from .._deploy.launch import launches_of
from .._deploy.order import stop_sequence
from .._deploy.plan import (
    CREATED,
    RECREATED,
    REMOVED,
    STARTED,
    Decision,
    plan_containers,
)
from .._deploy.reading import Reading
from .._deploy.release import Release
from .._errors import AgentkeepError, DeploymentFailed
from .adoption import adopted
from .back import put_back
from .databases import DatabaseDirectory, database_directories
from .failure import gone_back
from .place import FileState
from .read import read_containers
from .store import COMPOSE, JOURNAL
from .workshop import Workshop


def bring_up(shop: Workshop) -> Verdict:
    """Make what runs what is declared, and return what was done."""
    reading = finished(shop, shop.read())
    verdict = decide(reading, shop.wanted)
    demand_possible(reading, shop.wanted, verdict)
    if not verdict.changes or verdict.release is None:
        return verdict
    reading = adopted(shop, reading, verdict)
    journal = _begun(reading, verdict.release)
    return _Run(shop, reading, verdict, verdict.release).carry_out(journal)


def finished(shop: Workshop, reading: Reading) -> Reading:
    """Return the reading after an interrupted way back was gone to its end.

    An interrupted way forward is gone on by the run itself: every step of it may be
    repeated, and what the way back needs is kept.
    """
    journal = reading.journal
    if journal is None:
        return reading
    if journal.to == reading.index.current and journal.step == VERIFIED:
        shop.store.drop(JOURNAL)
        return replace(reading, journal=None)
    if not journal.undoes or not journal.before:
        return reading
    target = shop.store.release(journal.before)
    if target is not None:
        try:
            put_back(shop, target, shop.store.release(journal.to), journal)
        except AgentkeepError:
            # The way back is blocked; the way forward may be free.
            shop.store.write_journal(journal.at(STUCK))
            return shop.read()
    shop.store.drop(JOURNAL)
    return shop.read()


def _begun(reading: Reading, release: Release) -> Journal:
    before = reading.journal
    mark = f"{release.id}-{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}"
    if before is not None and before.before:
        return Journal(release.id, before.before, copied=before.copied, mark=mark)
    return Journal(release.id, reading.index.current, mark=mark)


class _Run:
    """One run on its way from a release to another."""

    def __init__(
        self, shop: Workshop, reading: Reading, verdict: Verdict, release: Release
    ) -> None:
        self._shop = shop
        self._store = shop.store
        self._reading = reading
        self._verdict = verdict
        self._release = release
        self._environments = {
            **reading.environments,
            **{n: t for n, t in verdict.environments.items() if t is not None},
        }

    def carry_out(self, journal: Journal) -> Verdict:
        """Go all the way; go back if the new containers fail."""
        decision = self._verdict.decision
        touched = decision.of(CREATED, RECREATED, REMOVED, STARTED)
        journal = replace(journal, touched=tuple(one.service for one in touched))
        before = self._store.release(journal.before) if journal.before else None
        self._store.write_journal(journal)
        files = [one for one in self._verdict.files if one.is_released]
        self._store.write_release(self._release, files, self._environments)
        self._shop.resources.make(self._release, self._verdict.containers)
        journal = self._store.write_journal(journal.at(PREPARED))
        try:
            journal = self._replace(journal, before)
            decision = self._verified()
            self._store.write_journal(journal.at(VERIFIED))
        except AgentkeepError as error:
            # How far it came stands in the journal, which is written first.
            way = (self._store.journal() or journal, before)
            raise gone_back(self._shop, self._verdict, way, error) from error
        self._commit()
        return replace(self._verdict, verified=decision)

    def _replace(self, journal: Journal, before: Release | None) -> Journal:
        decision = self._verdict.decision
        stopped = decision.of(RECREATED, REMOVED)
        drained = [one for one in decision.steps if one.service in decision.drained]
        groups = stop_sequence((*stopped, *drained), self._shop.wanted.stop_orders)
        for group in groups:
            self._shop.containers.stop([one.observed for one in group if one.observed])
        journal = self._store.write_journal(journal.at(STOPPED))
        journal = self._copied(journal, before)
        self._write()
        journal = self._store.write_journal(journal.at(WRITTEN))
        gone = [one.observed for one in decision.of(REMOVED) if one.observed]
        self._shop.containers.remove(gone)
        self._launch(decision)
        self._shop.containers.start([one.observed for one in drained if one.observed])
        self._shop.containers.wait([one.name for one in drained])
        return self._store.write_journal(journal.at(REPLACED))

    def _copied(self, journal: Journal, before: Release | None) -> Journal:
        """Keep the databases before a container with another image opens them."""
        if before is None or before.id == self._release.id or journal.copied:
            return journal
        directories = self._opened_by_other_images(before)
        self._shop.databases.copy(before, directories)
        if directories:
            return self._store.write_journal(journal.at(COPIED))
        return journal

    def _opened_by_other_images(self, before: Release) -> tuple[DatabaseDirectory, ...]:
        holders: set[tuple[str, str | None]] = set()
        for one in self._verdict.containers:
            earlier = before.services.get(one.service)
            if earlier is None or earlier.image_id != one.image_id:
                shared = {(mount.entry, None) for mount in one.mounts}
                holders |= {(mount.entry, one.agent) for mount in one.mounts} | shared
        return tuple(
            one
            for one in database_directories(self._shop.wanted.deployment)
            if (one.entry, one.agent) in holders
        )

    def _write(self) -> None:
        for step in self._verdict.changed_files:
            file = step.file
            if step.action == "removed":
                self._store.place.remove(file.path)
                continue
            above = file.path.rpartition("/")[0]
            if self._store.place.tree.status(above) is None:
                raise _no_directory(self._store.place.shown(above), file.name)
            self._store.place.write(
                file.path, FileState(file.uid, file.gid, file.mode, step.content)
            )
        for service, text in self._verdict.environments.items():
            self._store.write_environment(service, text)
        self._store.keep(self._release.compose, COMPOSE)

    def _launch(self, decision: Decision) -> None:
        made = decision.of(CREATED, RECREATED)
        self._shop.containers.remove(
            [one.observed for one in made if one.observed and not self._by_compose(one)]
        )
        started = [one for one in decision.of(STARTED) if one.observed]
        self._shop.containers.start([one.observed for one in started if one.observed])
        self._shop.containers.wait([one.name for one in started])
        self._shop.containers.launch(
            launches_of(
                self._release, [one.service for one in made], self._environments
            )
        )

    def _by_compose(self, step: object) -> bool:
        observed = getattr(step, "observed", None)
        labels = observed.labels if observed else {}
        project = labels.get("com.docker.compose.project")
        service = labels.get("com.docker.compose.service")
        return (project, service) == (
            self._shop.wanted.project,
            getattr(step, "service", ""),
        )

    def _verified(self) -> Decision:
        """Return the containers as they are; make wrong ones anew once (K08)."""
        decision = self._compared()
        wrong = decision.of(CREATED, RECREATED, STARTED)
        if wrong:
            self._launch(decision)
            decision = self._compared()
            wrong = decision.of(CREATED, RECREATED, STARTED, REMOVED)
        if wrong:
            raise DeploymentFailed(
                "Cannot keep " + ", ".join(one.name for one in wrong) + " as declared",
                "; ".join(
                    f"{one.service}: {reason.field} {reason.subject} is {reason.old}, "
                    f"not {reason.new}"
                    for one in wrong
                    for reason in one.reasons[:3]
                ),
                "Correct what it names, then run again.",
            )
        return decision

    def _compared(self) -> Decision:
        found = read_containers(
            self._shop.wanted,
            self._shop.engine,
            self._shop.id,
            self._verdict.containers,
        )
        return plan_containers(self._verdict.containers, found)

    def _commit(self) -> None:
        index = self._reading.index.with_current(self._release.id)
        self._store.write_index(index)
        self._store.drop(JOURNAL)
        self._store.prune(index.kept())
        kept = [self._store.release(name) for name in index.kept()]
        self._shop.resources.tidy([one for one in kept if one is not None])


def _no_directory(path: str, name: str) -> DeploymentFailed:
    return DeploymentFailed(
        f'Cannot write the file "{name}"',
        f'the directory "{path}" is not there',
        "Add it to the directories of its entry, and run state_layout.",
    )
