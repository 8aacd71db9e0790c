# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""Put a sound transcript in the place of a damaged one, and keep that one beside it."""

from __future__ import annotations

import itertools
import os
import stat
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from agentd.transcripts.find import SUFFIX, Places, opened, transcripts_of
from agentd.transcripts.judge import Entry, judge
from agentd.transcripts.lines import Line, read_lines
from agentd.transcripts.salvage import salvage, written
from agentd.transcripts.scan import Scan, printable, scan_file, scan_found
from agentd.transcripts.verdict import Chain, Fault, Verdict

REPAIRABLE = ("damaged", "unusable")
PIECE_BYTES = 1024 * 1024
MAX_NAMES = 100_000
_NEW = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


class RepairRefused(Exception):
    """The transcript cannot be repaired now; the text says why and what to do."""


@dataclass(frozen=True)
class Repair:
    """What became of a transcript, and where the damaged one is kept."""

    repaired: bool
    verdict: Verdict
    faults: tuple[Fault, ...] = ()
    kept: str | None = None

    def for_output(self) -> Mapping[str, object]:
        """Return what control is told."""
        return {
            "repaired": self.repaired,
            "verdict": self.verdict,
            "faults": [fault.for_output() for fault in self.faults],
            "kept": None if self.kept is None else printable(self.kept),
        }


@dataclass(frozen=True)
class _Job:
    """One repair under way: the damaged file, and the directory that holds it."""

    session_id: str
    directory: int
    damaged: int
    path: Path
    stamp: str

    @property
    def name(self) -> str:
        return f"{self.session_id}{SUFFIX}"

    @property
    def draft(self) -> str:
        return f".{self.session_id}.{self.stamp}.repairing"

    @property
    def kept(self) -> str:
        # No session's name for the CLI: that one ends in .jsonl.
        return f"{self.session_id}.{self.stamp}.damaged"


def repair(
    places: Places, session_id: str, exchange: Callable[[Callable[[], None]], None]
) -> Repair:
    """Given a session, repair its transcript; raise RepairRefused or OSError.

    ``exchange`` is given the last step. It carries it out where no CLI of the session
    can start meanwhile, or raises RepairRefused.
    """
    with transcripts_of(places, session_id) as found:
        before = scan_found(places, session_id, found)
        if before.verdict not in REPAIRABLE or not found or found[0].file < 0:
            return Repair(False, before.verdict, before.faults)
        project = places.projects / found[0].project
        with opened(project) as directory:
            job = _Job(
                session_id=session_id,
                directory=directory,
                damaged=found[0].file,
                path=project / f"{session_id}{SUFFIX}",
                stamp=f"{time.time_ns():x}",
            )
            return _carry_out(job, before, exchange)


def _carry_out(
    job: _Job, before: Scan, exchange: Callable[[Callable[[], None]], None]
) -> Repair:
    was = os.fstat(job.damaged)
    _remove_left_drafts(job)
    file = os.open(job.draft, _NEW, 0o600, dir_fd=job.directory)
    try:
        with open(file, "wb", closefd=False) as target:
            _write(job, was.st_size, target)
        after = scan_file(file, job.session_id, str(job.path))
        if after.verdict != "sound" or after.conversation < before.conversation:
            return Repair(False, before.verdict, before.faults)
        _take_over(file, was)
        os.fsync(file)
        _keep(job)
        try:
            exchange(lambda: _exchange(job, was))
        except BaseException:
            os.unlink(job.kept, dir_fd=job.directory)
            raise
        os.fsync(job.directory)
    finally:
        os.close(file)
        with suppress(OSError):
            os.unlink(job.draft, dir_fd=job.directory)
    kept = job.path.with_name(job.kept)
    return Repair(True, after.verdict, before.faults, str(kept))


def _write(job: _Job, size: int, target: BinaryIO) -> None:
    chain = Chain()
    for line in read_lines(job.damaged, size):
        judged = judge(line)
        if not judged.judged:
            if judged.fault is None:
                _copy(job.damaged, line, target)
                chain.lose()
            continue
        if judged.entry is not None and judged.fault is None:
            target.write(_linked(judged.entry, chain, line.content))
            continue
        for entry in salvage(line.content or b"", job.session_id):
            target.write(_linked(entry, chain, None))


def _linked(entry: Entry, chain: Chain, content: bytes | None) -> bytes:
    """Return the entry's line, tied to the last one where its own is not there."""
    broken = chain.breaks(entry)
    parent = chain.last(entry)
    chain.take(entry)
    if broken:
        return written({**entry.value, "parentUuid": parent})
    if content is None:
        return written(entry.value)
    return content.removeprefix(b"\xef\xbb\xbf").rstrip(b"\r") + b"\n"


def _copy(source: int, line: Line, target: BinaryIO) -> None:
    """Copy a line that is too long to be held."""
    place, end = line.offset, line.offset + line.length
    while place < end:
        piece = os.pread(source, min(PIECE_BYTES, end - place), place)
        if not piece:
            raise RepairRefused(
                "Cannot repair the transcript: it became shorter meanwhile. "
                "Stop what writes to it, then try again."
            )
        target.write(piece)
        place += len(piece)


def _take_over(file: int, was: os.stat_result) -> None:
    """Give the new file the old one's mode, group and age: a repair is no use of it."""
    with suppress(OSError):
        os.fchown(file, was.st_uid, was.st_gid)
    os.fchmod(file, stat.S_IMODE(was.st_mode) & 0o777 | 0o600)
    os.utime(file, ns=(was.st_atime_ns, was.st_mtime_ns))


def _exchange(job: _Job, was: os.stat_result) -> None:
    now = os.stat(job.name, dir_fd=job.directory, follow_symlinks=False)
    if (now.st_dev, now.st_ino, now.st_size, now.st_mtime_ns) != (
        was.st_dev,
        was.st_ino,
        was.st_size,
        was.st_mtime_ns,
    ):
        raise RepairRefused(
            f"Cannot repair {job.path}: somebody wrote to it meanwhile. "
            "Try again when nothing runs in the conversation."
        )
    os.rename(job.draft, job.name, src_dir_fd=job.directory, dst_dir_fd=job.directory)


def _keep(job: _Job) -> None:
    """Give the damaged file a second name, or copy it where that is not possible."""
    try:
        # The very file that was read, whatever its name leads to by now.
        source = f"/proc/self/fd/{job.damaged}"
        os.link(source, job.kept, dst_dir_fd=job.directory, follow_symlinks=True)
    except OSError:
        file = os.open(job.kept, _NEW, 0o600, dir_fd=job.directory)
        try:
            was = os.fstat(job.damaged)
            with open(file, "wb", closefd=False) as target:
                _copy(job.damaged, Line(0, 0, was.st_size, None), target)
            os.utime(file, ns=(was.st_atime_ns, was.st_mtime_ns))
            os.fsync(file)
        finally:
            os.close(file)


def _remove_left_drafts(job: _Job) -> None:
    """Remove what a killed repair of this session left behind."""
    start, end = f".{job.session_id}.", ".repairing"
    with os.scandir(job.directory) as entries:
        left = [
            entry.name
            for entry in itertools.islice(entries, MAX_NAMES)
            if entry.name.startswith(start) and entry.name.endswith(end)
        ]
    for name in left:
        with suppress(OSError):
            os.unlink(name, dir_fd=job.directory)
