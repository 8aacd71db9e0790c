# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""The sync of skills: persist, then clear, then sync; boot and reload call it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from agentd.skills import kernel
from agentd.skills.area import Area, Exchange
from agentd.skills.decide import Act, Decision, Rescue, Seen, decide
from agentd.skills.look import Sight
from agentd.skills.manifest import (
    COPY,
    Entry,
    Manifest,
    Put,
    read_manifest,
    remove_leftovers,
    write_manifest,
)
from agentd.skills.opened import Opened, open_places
from agentd.skills.places import places_of
from agentd.skills.report import report
from agentd.skills.tree import SkillRefused
from agentd.skills.values import USER, Limits, SkillPlaces, SkillsReport
from agentd.skills.work import Work

__all__ = ["SkillPlaces", "SkillsReport", "places_of", "sync_skills"]

DEFAULT_LIMITS = Limits()
PERSIST, CLEAR, SYNC = "skills_persist", "skills_clear", "skills_sync"


def sync_skills(
    places: SkillPlaces,
    selection: Sequence[str] | None,
    on_step: Callable[[str], None],
    limits: Limits = DEFAULT_LIMITS,
    exchange: Exchange = kernel.exchange,
) -> SkillsReport:
    """Bring the destination up to date; return what is there and what was done.

    Given a fault, what it concerns stays as it is and a warning says so; only a
    destination that cannot be opened at all ends the sync, with that warning.
    """
    try:
        with open_places(places, limits, exchange) as opened:
            return _Sync(opened, selection).run(on_step)
    except (OSError, SkillRefused) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        warning = (
            f"Cannot sync the skills to {places.destination}: {reason}. "
            "Nothing was changed. Make it a directory of the agent's own."
        )
        return SkillsReport(warnings=(*places.warnings, warning))


@dataclass(frozen=True)
class _Skill:
    seen: Seen
    decision: Decision


class _Sync:
    def __init__(self, opened: Opened, selection: Sequence[str] | None) -> None:
        self._opened = opened
        self._selection = None if selection is None else frozenset(selection)
        self._file = opened.places.state.name
        self._manifest = Manifest()

    def run(self, on_step: Callable[[str], None]) -> SkillsReport:
        """Do the three steps; a failing first one stops the second."""
        on_step(PERSIST)
        restored = self._restore_missing()
        sight = self._look()
        skills = {
            name: _Skill(seen, decide(seen))
            for name, seen in ((name, sight.seen(name)) for name in sight.names())
        }
        work = Work(self._opened, sight.signed)
        self._persist(skills, sight, work)
        if not work.failed:
            self._announce(skills, sight, work)
        stopped = work.failed
        if not stopped:
            on_step(CLEAR)
            self._clear(skills, work)
        else:
            # What should have gone stays known as ours, or it would come back.
            work.left_alone |= _to_remove(skills)
        on_step(SYNC)
        self._put(skills, work, only_missing=stopped)
        self._note_done(skills, sight, work)
        if stopped:
            work.warnings.append(_STOPPED)
        if sight.user_directory_gone and work.persisted:
            work.warnings.append(_BROUGHT_BACK)
        result = report(self._opened, sight, work)
        return replace(result, changed=result.changed or bool(restored))

    def _restore_missing(self) -> list[str]:
        return [
            name for area in self._opened.areas() for name in area.restore_missing()
        ]

    def _look(self) -> Sight:
        limits = self._opened.limits
        for place, found in self._opened.found.items():
            found.list_all(limits.of_copies() if place == COPY else limits)
        if not self._opened.found[COPY].readable:
            raise SkillRefused("it cannot be read")
        remove_leftovers(self._opened.state, self._file)
        manifest = read_manifest(self._opened.state, self._file)
        self._manifest = manifest
        user = self._opened.found[USER]
        replaced = user.root is None or (manifest.marked and not user.marked)
        return Sight(
            places=self._opened.found,
            manifest=manifest,
            selection=self._selection,
            user_directory_gone=replaced and user.readable,
        )

    def _persist(self, skills: Mapping[str, _Skill], sight: Sight, work: Work) -> None:
        for area in self._opened.areas():
            self._recover(area, skills, work)
        for name, skill in skills.items():
            if skill.decision.rescue is not Rescue.NOTHING:
                act = partial(work.save, name, skill.seen, skill.decision)
                work.attempt("save", name, act)

    def _recover(self, area: Area, skills: Mapping[str, _Skill], work: Work) -> None:
        for former, name in area.leftovers():
            known: set[str] = set()
            if name in skills:
                seen = skills[name].seen
                digests = (
                    *(seen.org, seen.built_in, seen.uploaded),
                    *(seen.user, seen.copy),
                )
                known.update(digest for digest in digests if digest)
                if seen.entry is not None:
                    known.update(put.digest for put in seen.entry.puts)
            work.attempt(
                "recover", name, partial(work.recover, area, name, former, known)
            )

    def _announce(self, skills: Mapping[str, _Skill], sight: Sight, work: Work) -> None:
        """Write down what is about to be put: a kill must not make it look edited."""
        entries = dict(self._manifest.entries)
        for name, skill in skills.items():
            decision = skill.decision
            if decision.act is not Act.PUT or name in work.left_alone:
                continue
            entry = entries.get(name, Entry())
            pending = Put(str(decision.tier), str(decision.digest))
            entries[name] = replace(entry, pending=pending)
        self._write(replace(self._manifest, entries=entries), work)

    def _clear(self, skills: Mapping[str, _Skill], work: Work) -> None:
        for name, skill in skills.items():
            if skill.decision.act is Act.REMOVE and name not in work.left_alone:
                work.attempt("remove", name, partial(work.remove, name))
        if self._selection is None:
            return
        for name, kind in self._opened.found[COPY].others.items():
            if kind == "a link" and name not in self._selection:
                work.attempt("remove", name, partial(work.unlink, name))

    def _put(
        self, skills: Mapping[str, _Skill], work: Work, *, only_missing: bool
    ) -> None:
        there = self._opened.found[COPY]
        for name, skill in skills.items():
            taken = skill.seen.copy is not None or name in there.others
            if skill.decision.act is not Act.PUT or name in work.left_alone:
                continue
            if work.hopeless or (only_missing and taken):
                work.left_alone.add(name)
                continue
            work.attempt("put", name, partial(work.put, name, skill.decision))

    def _note_done(
        self, skills: Mapping[str, _Skill], sight: Sight, work: Work
    ) -> None:
        try:
            if work.put_names:
                kernel.sync_filesystem(self._opened.destination.root)
        except OSError as error:
            work.warnings.append(f"Cannot make the skills durable: {error.strerror}.")
            return
        entries = {}
        for name, skill in skills.items():
            entry = self._entry_after(name, skill, sight, work)
            if entry.put or entry.pending or entry.seen:
                entries[name] = entry
        # Only now: a mark says that what was lost before it was brought back.
        marked = self._manifest.marked if work.failed else self._opened.mark_user()
        self._write(Manifest(entries, marked=marked), work)

    def _entry_after(self, name: str, skill: _Skill, sight: Sight, work: Work) -> Entry:
        former = self._manifest.entries.get(name, Entry())
        decision = skill.decision
        put, pending = former.put, former.pending
        if name not in work.left_alone and not skill.seen.claimed:
            tier, digest = decision.tier, decision.digest
            put = Put(tier, digest) if tier and digest else None
            pending = None
        seen = {} if name in work.forgotten else sight.signed.get(name, {})
        return Entry(put, pending, seen)

    def _write(self, manifest: Manifest, work: Work) -> None:
        manifest = replace(manifest, known=True, damage="")
        if manifest == self._manifest:
            return
        try:
            write_manifest(self._opened.state, self._file, manifest)
        except OSError as error:
            work.failed = True
            work.warnings.append(
                f"Cannot write {self._opened.places.state}: {error.strerror}. "
                "The next sync has to look at everything again."
            )
        else:
            self._manifest = manifest


def _to_remove(skills: Mapping[str, _Skill]) -> set[str]:
    return {name for name, one in skills.items() if one.decision.act is Act.REMOVE}


_BROUGHT_BACK = (
    "The directory of the user skills was lost or made anew. Skills were brought back "
    "from their copies. To remove a skill, remove its own directory."
)
_STOPPED = (
    "Nothing was cleared or replaced, because not everything could be saved before. "
    "What was missing was added if there was room. Make room, or let the agent write, "
    "and sync again."
)
