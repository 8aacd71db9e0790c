# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""Put a definition into its work directory, which is the agent's own and writable.

A kill at any instant loses nothing: each file is replaced whole, and what is about to
be put is written down before.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from agentd.agent.definition_manifest import read_known, write_known
from agentd.agent.definition_plan import OTHER, Act, Step, places_of_files, plan
from agentd.agent.directories import open_up
from agentd.agent.hostile_files import (
    FileUnusable,
    read_small,
    replace_file,
    set_aside,
)
from agentd.definitions.paths import OWN_DIRECTORY, fault_of_path
from agentd.skills.kernel import sync_filesystem
from agentd.skills.tree import OPEN_DIRECTORY, SkillRefused, Tree, scan
from agentd.skills.values import Limits

LIMITS = Limits(entries=5000, bytes=64 * 1024 * 1024)
KEPT = "kept"
DRAFT = "draft"
MAX_KEPT = 200
SHOWN_DIGITS = 12
ATTEMPTS = 3
CHANGED = "it changes while it is read"


class DefinitionUnusable(Exception):
    """A definition cannot be put into its work directory; the text says why."""


class SourceChanged(Exception):
    """The definition was replaced while it was read."""


@dataclass
class Synced:
    """What a sync did, and what is to be told of it."""

    changed: bool = False
    kept: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


def sync_definition(source: Path, target: Path) -> Synced:
    """Bring the work directory up to date; raise DefinitionUnusable if it cannot be.

    A work directory that holds all of it is not written to.
    """
    for left in reversed(range(ATTEMPTS)):
        try:
            with opened_directory(source) as opened:
                return _Sync(source, opened, target).run()
        except (SourceChanged, FileNotFoundError) as error:
            # Another one was uploaded just now, and took its place at one instant.
            if not left:
                raise DefinitionUnusable(f"{source}: {CHANGED}") from error
        except (FileUnusable, SkillRefused) as error:
            raise DefinitionUnusable(f"{source}: {error}") from error
        except OSError as error:
            where = error.filename or target
            raise DefinitionUnusable(
                f"{where}: {error.strerror} as uid {os.geteuid()}"
            ) from error
    raise AssertionError("every attempt returns or raises")


@contextmanager
def opened_directory(path: Path) -> Iterator[int]:
    """Yield a directory's descriptor, opened without following a link; close it."""
    opened = os.open(path, OPEN_DIRECTORY)
    try:
        yield opened
    finally:
        os.close(opened)


def make_directory(path: Path) -> None:
    """Let it be a directory of the agent's own; what else is there is kept beside."""
    while not _is_directory(path):
        if os.path.lexists(path):
            os.rename(path, path.with_name(f"{path.name}.kept-{secrets.token_hex(4)}"))
        with suppress(FileExistsError):
            os.mkdir(path, 0o750)
    open_up(path)


class _Sync:
    def __init__(self, source: Path, opened: int, target: Path) -> None:
        self._source = source
        # All is read from the directory that was opened, whatever takes its place.
        self._opened = opened
        self._target = target
        self._own = target / OWN_DIRECTORY
        self._done = Synced()

    def run(self) -> Synced:
        digests = self._digests(self._tree())
        placed = self._places(digests)
        wanted = {path: digest for path, (_from, digest) in placed.items()}
        make_directory(self._target)
        make_directory(self._own)
        self._remove_left_over()
        known = read_known(self._own)
        present = {
            path: found for path in {*wanted, *known} if (found := self._at(path))
        }
        steps = plan(wanted, known, present)
        if steps:
            # Whatever ends this sync: a file holds what it holds now, or the new one.
            now = {
                path: [one for one in known.get(path, ()) if one == present.get(path)]
                for path in wanted
            }
            pending = {path: (*now[path], wanted[path]) for path in wanted}
            write_known(self._own, {**known, **pending})
        for step in steps:
            self._take(step, placed)
        settled = {path: (digest,) for path, digest in wanted.items()}
        if steps or settled != known:
            self._make_durable()
            write_known(self._own, settled)
        return self._done

    def _tree(self) -> Tree:
        tree = scan(self._opened, "", LIMITS)
        left_out = [f"{link.path} is a link" for link in tree.links]
        for what in (*tree.left_out, *left_out):
            self._done.warnings.append(f"In {self._source}, {what}. It is left out.")
        return tree

    def _digests(self, tree: Tree) -> dict[str, str]:
        digests = {}
        for file in tree.files:
            fault = fault_of_path(file.path)
            if fault is not None:
                self._done.warnings.append(
                    f"In {self._source}, {file.path!r} is left out: {fault}."
                )
                continue
            content = self._content(file.path)
            digests[file.path] = _digest(content, bool(file.mode & stat.S_IXUSR))
        return digests

    def _places(self, digests: Mapping[str, str]) -> dict[str, tuple[str, str]]:
        placed = places_of_files(digests)
        for path in sorted({*digests} - {path for path, _digest in placed.values()}):
            self._done.warnings.append(
                f"In {self._source}, {path!r} is left out: another is in its place."
            )
        return placed

    def _content(self, path: str) -> bytes:
        content = read_small(Path(f"/proc/self/fd/{self._opened}") / path, LIMITS.bytes)
        if content is None:
            raise SourceChanged(path)
        return content

    def _remove_left_over(self) -> None:
        for name in os.listdir(self._own):
            if name == DRAFT or name.startswith("."):
                with suppress(OSError):
                    os.unlink(self._own / name)
        if _is_directory(self._own / DRAFT):
            set_aside(self._own / DRAFT)

    def _at(self, path: str) -> str | None:
        """Return the digest of what is at that path now, None if nothing is.

        What a link on the way leads to is not there: it is never touched.
        """
        place = self._target / path
        for above in reversed(self._above(place)):
            if above.is_symlink():
                return None
            # What the agent closed to itself would hold up every later turn.
            open_up(above)
        try:
            status = place.lstat()
            content = read_small(place, LIMITS.bytes)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except (FileUnusable, OSError):
            return OTHER
        return (
            None if content is None else _digest(content, bool(status.st_mode & 0o100))
        )

    def _above(self, place: Path) -> list[Path]:
        """Return the directories between the work directory and a place."""
        return [one for one in place.parents if self._target in one.parents]

    def _take(self, step: Step, placed: Mapping[str, tuple[str, str]]) -> None:
        place = self._target / step.path
        if step.act in (Act.KEEP, Act.KEEP_AND_PUT) and not self._keep(place):
            return
        if step.act is Act.REMOVE:
            place.unlink(missing_ok=True)
        if step.puts:
            self._put(place, *placed[step.path])
        else:
            self._prune(place)
        self._done.changed = True

    def _put(self, place: Path, path: str, digest: str) -> None:
        for above in reversed(self._above(place)):
            make_directory(above)
        if _is_directory(place):
            # Of ours nothing is left in it; what the agent made itself is kept.
            with suppress(OSError):
                place.rmdir()
            if _is_directory(place) and not self._keep(place):
                return
        content = self._content(path)
        runs = _digest(content, True) == digest
        if not runs and _digest(content, False) != digest:
            raise SourceChanged(path)
        mode = 0o750 if runs else 0o640
        # Written where the next sync looks for what a kill left half.
        replace_file(self._own / DRAFT, content, mode, durable=False)
        os.rename(self._own / DRAFT, place)

    def _keep(self, place: Path) -> bool:
        """Move what is there to what is kept; return whether there was room."""
        kept = self._own / KEPT
        make_directory(kept)
        found = self._at(str(place.relative_to(self._target)))
        mark = secrets.token_hex(6) if found in (None, OTHER) else found[:SHOWN_DIGITS]
        beside = kept / f"{mark}-{place.name}"
        if _is_directory(beside):
            beside = kept / f"{secrets.token_hex(6)}-{place.name}"
        if len(os.listdir(kept)) >= MAX_KEPT and not os.path.lexists(beside):
            self._done.warnings.append(
                f"{place} was edited and stays as it is: {MAX_KEPT} versions are kept "
                f"in {kept} already. Remove those that nobody needs."
            )
            return False
        os.rename(place, beside)
        self._done.kept.append(str(beside))
        return True

    def _prune(self, place: Path) -> None:
        """Remove the directories that are empty now."""
        for above in self._above(place):
            with suppress(OSError):
                above.rmdir()

    def _make_durable(self) -> None:
        with opened_directory(self._target) as opened:
            sync_filesystem(opened)


def _is_directory(path: Path) -> bool:
    return os.path.isdir(path) and not os.path.islink(path)


def _digest(content: bytes, runs: bool) -> str:
    whole = hashlib.sha256(b"x" if runs else b"-")
    whole.update(content)
    return whole.hexdigest()
