# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""The manifest: what the last sync put where. It lies in the agent's own reach.

So any content is taken: what is not understood is as if it had never been written,
and the rules for a skill without an entry lose nothing.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import stat
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import islice

from agentd.skills.names import is_name
from agentd.skills.tree import OPEN_DIRECTORY, open_up
from agentd.skills.values import BUILT_IN, ORG, UPLOADED, USER

VERSION = 1
MAX_BYTES = 16 * 1024 * 1024
MAX_ENTRIES = 10_000
TIERS = frozenset({BUILT_IN, ORG, UPLOADED, USER})
COPY = "copy"
PLACES = TIERS | {COPY}
_DIGEST = re.compile(r"[0-9a-f]{32}")
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_WRITE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


@dataclass(frozen=True)
class Put:
    """What a sync put in the destination: from which tier, with what content."""

    tier: str
    digest: str


@dataclass(frozen=True)
class Entry:
    """What is known of one skill; pending is what was about to be put.

    Seen holds for each place the signature that had that digest.
    """

    put: Put | None = None
    pending: Put | None = None
    seen: Mapping[str, tuple[str, str]] = field(default_factory=dict)

    @property
    def puts(self) -> tuple[Put, ...]:
        """Return what the destination may hold of ours."""
        return tuple(one for one in (self.put, self.pending) if one is not None)


@dataclass(frozen=True)
class Manifest:
    """The entries by name; known is false where there was none, or a damaged one."""

    entries: Mapping[str, Entry] = field(default_factory=dict)
    known: bool = False
    damage: str = ""
    # Whether the user directory had its mark when this was written.
    marked: bool = False


def read_manifest(directory: int, name: str) -> Manifest:
    """Return the manifest of any file, or of none."""
    try:
        opened = os.open(name, _READ, dir_fd=directory)
    except FileNotFoundError:
        return Manifest()
    except OSError as error:
        return Manifest(damage=str(error.strerror))
    try:
        status = os.fstat(opened)
        if not stat.S_ISREG(status.st_mode):
            return Manifest(damage="it is no file")
        if status.st_size > MAX_BYTES:
            return Manifest(damage=f"it has more than {MAX_BYTES} bytes")
        return parse_manifest(_content(opened))
    except OSError as error:
        return Manifest(damage=str(error.strerror))
    finally:
        os.close(opened)


def parse_manifest(content: bytes) -> Manifest:
    """Return what of that content is a manifest."""
    try:
        value = json.loads(content)
    except (ValueError, RecursionError):
        return Manifest(damage="it is not JSON")
    skills = value.get("skills") if isinstance(value, dict) else None
    if not isinstance(skills, dict) or value.get("version") != VERSION:
        return Manifest(damage="it has another form")
    entries = {}
    for name, given in list(skills.items())[:MAX_ENTRIES]:
        entry = _entry(given)
        if entry is None or not is_name(name):
            return Manifest(damage="an entry has another form")
        entries[name] = entry
    return Manifest(entries, known=True, marked=value.get("marked") is True)


def write_manifest(directory: int, name: str, manifest: Manifest) -> None:
    """Write it beside its place, make it durable, and rename it there."""
    entries = manifest.entries
    value = {
        "version": VERSION,
        "marked": manifest.marked,
        "skills": {key: _value(entries[key]) for key in sorted(entries)},
    }
    content = json.dumps(value, separators=(",", ":")).encode() + b"\n"
    beside = f".{name}.{secrets.token_hex(8)}"
    opened = os.open(beside, _WRITE, 0o600, dir_fd=directory)
    try:
        while content:
            content = content[os.write(opened, content) :]
        os.fsync(opened)
        _clear_the_way(directory, name)
        os.rename(beside, name, src_dir_fd=directory, dst_dir_fd=directory)
        os.fsync(directory)
    except OSError:
        with suppress(OSError):
            os.unlink(beside, dir_fd=directory)
        raise
    finally:
        os.close(opened)


def open_state(config: int, name: str) -> int:
    """Open the state's directory, made if it is not there."""
    with suppress(FileExistsError):
        os.mkdir(name, 0o700, dir_fd=config)
    with suppress(OSError):
        open_up(name, config)
    try:
        return os.open(name, OPEN_DIRECTORY, dir_fd=config)
    except NotADirectoryError:
        _set_aside(config, name)
    os.mkdir(name, 0o700, dir_fd=config)
    return os.open(name, OPEN_DIRECTORY, dir_fd=config)


def remove_leftovers(directory: int, name: str) -> None:
    """Remove what a kill left of an unfinished write."""
    with os.scandir(directory) as entries:
        first = islice(entries, MAX_ENTRIES)
        left = [one.name for one in first if one.name.startswith(f".{name}.")]
    for one in left:
        with suppress(OSError):
            os.unlink(one, dir_fd=directory)


def _clear_the_way(directory: int, name: str) -> None:
    with suppress(FileNotFoundError):
        status = os.stat(name, dir_fd=directory, follow_symlinks=False)
        if stat.S_ISDIR(status.st_mode):
            _set_aside(directory, name)


def _set_aside(directory: int, name: str) -> None:
    aside = f"{name}.aside-{secrets.token_hex(4)}"
    os.rename(name, aside, src_dir_fd=directory, dst_dir_fd=directory)


def _content(opened: int) -> bytes:
    blocks = []
    while block := os.read(opened, MAX_BYTES):
        blocks.append(block)
        if sum(map(len, blocks)) > MAX_BYTES:
            break
    return b"".join(blocks)


def _value(entry: Entry) -> dict[str, object]:
    return {
        "put": _put_value(entry.put),
        "pending": _put_value(entry.pending),
        "seen": {place: list(entry.seen[place]) for place in sorted(entry.seen)},
    }


def _put_value(put: Put | None) -> list[str] | None:
    return None if put is None else [put.tier, put.digest]


def _entry(value: object) -> Entry | None:
    if not isinstance(value, dict):
        return None
    seen = value.get("seen")
    puts = [value.get("put"), value.get("pending")]
    if not isinstance(seen, dict) or not all(map(_is_put, puts)):
        return None
    if not all(key in PLACES and _is_pair(pair) for key, pair in seen.items()):
        return None
    return Entry(
        put=None if puts[0] is None else Put(*puts[0]),
        pending=None if puts[1] is None else Put(*puts[1]),
        seen={key: (pair[0], pair[1]) for key, pair in seen.items()},
    )


def _is_put(value: object) -> bool:
    return value is None or (
        isinstance(value, list)
        and len(value) == 2
        and isinstance(value[0], str)
        and value[0] in TIERS
        and _is_digest(value[1])
    )


def _is_pair(value: object) -> bool:
    return isinstance(value, list) and len(value) == 2 and all(map(_is_digest, value))


def _is_digest(value: object) -> bool:
    return isinstance(value, str) and _DIGEST.fullmatch(value) is not None
