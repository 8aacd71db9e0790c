# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""The definitions, or the skills, that are there: listed, read, put and removed."""

from __future__ import annotations

import os
import stat
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

from agentd.definitions.check import (
    demand_name,
    demand_upload,
    description_of,
    text_of,
)
from agentd.definitions.names import is_name
from agentd.definitions.paths import fault_of_path
from agentd.definitions.resolve import BUILT_IN, UPLOADED, Tiers, find, holds
from agentd.definitions.staging import Staging
from agentd.definitions.values import (
    SCANNED,
    Content,
    Entry,
    File,
    Files,
    Kind,
    UploadLimits,
)
from agentd.errors import (
    DefinitionBuiltIn,
    DefinitionExists,
    DefinitionsFailed,
    DefinitionUnknown,
    UploadRefused,
    UploadTooLarge,
)
from agentd.skills.tree import OPEN_DIRECTORY, SkillRefused, Tree, beneath, scan

MAX_LISTED = 1000
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class Store:
    """One kind, in its two tiers; what a name means is the one rule's to say."""

    def __init__(self, kind: Kind, tiers: Tiers, limits: UploadLimits) -> None:
        self.kind = kind
        self._tiers = tiers
        self._limits = limits
        self._staging = Staging(tiers.uploaded)
        self._one_at_a_time = threading.RLock()

    def settle(self) -> None:
        """Put right what a kill left half-way; control does so when it starts."""
        with self._failing("settle", ""), self._one_at_a_time:
            self._staging.clear()

    def list(self) -> list[Entry]:
        """Return what is there, by name."""
        names: set[str] = set()
        with self._failing("list", ""):
            for _tier, directory in self._tiers.in_order():
                with suppress(FileNotFoundError):
                    names.update(filter(is_name, os.listdir(directory)))
        found = []
        for name in sorted(names)[:MAX_LISTED]:
            with suppress(DefinitionUnknown, UploadRefused):
                found.append(self._listed(name))
        return found

    def _listed(self, name: str) -> Entry:
        try:
            return self.find(name)
        except (DefinitionsFailed, UploadTooLarge) as error:
            mine = os.path.lexists(self._tiers.uploaded / name)
            tier = UPLOADED if mine else BUILT_IN
            return Entry(name, tier, (), 0.0, problem=str(error))

    def find(self, name: str) -> Entry:
        """Return one; raise DefinitionUnknown."""
        place, tier = self._place(name)
        with self._failing("read", name), _opened(place) as directory:
            tree = scan(directory, "", SCANNED)
            main = self._read(directory, self.kind.main_file)
            return _entry(name, tier, tree, self._hides(name, tier), main.data)

    def content(self, name: str, path: str | None = None) -> tuple[str, str, Content]:
        """Return the tier, the path and the content of a file; the main one without.

        Raise DefinitionUnknown, UploadRefused for a path that may not be, or
        UploadTooLarge for a file that is too large to be told.
        """
        place, tier = self._place(name)
        wanted = self._demand_path(name, path)
        with self._failing("read", name), _opened(place) as directory:
            return tier, wanted, self._read(directory, wanted)

    def add(self, name: str, files: Files) -> Entry:
        """Put a new one in its place; raise DefinitionExists or UploadRefused."""
        demand_name(self.kind, name)
        demand_upload(self.kind, name, files, self._limits)
        place = self._tiers.uploaded / name
        try:
            with self._failing("store", name), self._one_at_a_time:
                if os.path.lexists(place):
                    raise FileExistsError
                self._staging.put(self._staging.write(files), place)
        except FileExistsError:
            raise DefinitionExists(
                f'Cannot upload the {self.kind.word} "{name}": there is one of that '
                f"name. Remove it first, or replace it with PUT /api/registry/"
                f"{self.kind.directory}/{name}."
            ) from None
        return self.find(name)

    def replace(self, name: str, files: Files) -> Entry:
        """Put another one in the place of an uploaded one."""
        demand_name(self.kind, name)
        demand_upload(self.kind, name, files, self._limits)
        with self._failing("replace", name), self._one_at_a_time:
            self._demand_uploaded("replace", name)
            fresh = self._staging.write(files)
            self._staging.replace(fresh, self._tiers.uploaded / name)
        return self.find(name)

    def replace_file(self, name: str, path: str | None, content: Content) -> Entry:
        """Put one file into an uploaded one; the main file without a path."""
        wanted = self._demand_path(name, path)
        self._demand_uploaded("change", name)
        if wanted == self.kind.main_file and text_of(content) is None:
            raise UploadRefused(
                f'Cannot change the {self.kind.word} "{name}": its {wanted} is no '
                "text in UTF-8. Send it as that."
            )
        # Whoever changes another file at the same time loses nothing by it.
        with self._one_at_a_time:
            return self.replace(name, {**self._files(name), wanted: content})

    def remove(self, name: str) -> None:
        """Remove an uploaded one; raise DefinitionBuiltIn or DefinitionUnknown."""
        demand_name(self.kind, name)
        place = self._tiers.uploaded / name
        with self._failing("remove", name), self._one_at_a_time:
            if not os.path.lexists(place):
                self._demand_uploaded("remove", name)
            self._staging.take_away(place)

    def _files(self, name: str) -> dict[str, Content]:
        place = self._tiers.uploaded / name
        with self._failing("read", name), _opened(place) as directory:
            tree = scan(directory, "", SCANNED)
            return {file.path: self._read(directory, file.path) for file in tree.files}

    def _place(self, name: str) -> tuple[Path, str]:
        demand_name(self.kind, name)
        with self._failing("look for", name):
            found = find(self._tiers, name, self.kind.main_file)
        if found is None or found.path is None or found.tier is None:
            raise self._unknown(name)
        return found.path, found.tier

    def _hides(self, name: str, tier: str) -> bool:
        below = self._tiers.built_in / name
        return tier != BUILT_IN and holds(below, self.kind.main_file)

    def _demand_uploaded(self, deed: str, name: str) -> None:
        _path, tier = self._place(name)
        if tier == BUILT_IN:
            raise DefinitionBuiltIn(
                f'Cannot {deed} the {self.kind.word} "{name}": it came with the image. '
                "Upload one of that name; it is used in its place."
            )

    def _demand_path(self, name: str, path: str | None) -> str:
        wanted = self.kind.main_file if path is None else path
        fault = fault_of_path(wanted)
        if fault is not None:
            raise UploadRefused(
                f'Cannot use a file of the {self.kind.word} "{name}": of its path, '
                f"{fault}. Name a path below the directory."
            )
        return wanted

    def _read(self, directory: int, path: str) -> Content:
        """Return a regular file's content; nothing on the way may be a link."""
        most = max(self._limits.bytes, 1024 * 1024)
        above, _slash, name = path.rpartition("/")
        try:
            with beneath(directory, above) as opened:
                file = os.open(name, _READ, dir_fd=opened)
        except (FileNotFoundError, NotADirectoryError) as error:
            raise DefinitionUnknown(f'There is no file "{path}" in it.') from error
        with open(file, "rb") as stream:
            status = os.fstat(file)
            if not stat.S_ISREG(status.st_mode):
                raise DefinitionUnknown(f'"{path}" is no file in it.')
            data = stream.read(most + 1)
        if len(data) > most:
            raise UploadTooLarge(f'The file "{path}" has more than {most} bytes.')
        return Content(data, runs=bool(status.st_mode & stat.S_IXUSR))

    @contextmanager
    def _failing(self, deed: str, name: str) -> Iterator[None]:
        """Show what the system refuses, with the place (P08)."""
        try:
            yield
        except FileExistsError:
            raise
        except FileNotFoundError as error:
            if deed == "read":
                raise self._unknown(name) from error
            raise self._failed(deed, name, error) from error
        except (OSError, SkillRefused) as error:
            raise self._failed(deed, name, error) from error

    def _failed(self, deed: str, name: str, error: Exception) -> DefinitionsFailed:
        what = f'the {self.kind.word} "{name}"' if name else f"the {self.kind.word}s"
        reason = str(error)
        if isinstance(error, OSError):
            where = error.filename or self._tiers.uploaded
            reason = f"{where}: {error.strerror} as uid {os.geteuid()}"
        return DefinitionsFailed(
            f"Cannot {deed} {what}: {reason}. Lay out the deployment's state again "
            "with repair, mount it writable, or make room."
        )

    def _unknown(self, name: str) -> DefinitionUnknown:
        return DefinitionUnknown(
            f'There is no {self.kind.word} "{name}". '
            f"GET /api/registry/{self.kind.directory} lists them."
        )


@contextmanager
def _opened(path: Path) -> Iterator[int]:
    opened = os.open(path, OPEN_DIRECTORY)
    try:
        yield opened
    finally:
        os.close(opened)


def _entry(name: str, tier: str, tree: Tree, hides: bool, main: bytes) -> Entry:
    files = tuple(
        File(file.path, file.size, bool(file.mode & stat.S_IXUSR))
        for file in sorted(tree.files)
        if fault_of_path(file.path) is None
    )
    entry = Entry(
        name=name,
        tier=tier,
        files=files,
        updated_at=max(file.modified_ns for file in tree.files) / 1e9,
        description=description_of(main),
    )
    return replace(entry, hides_built_in=hides)
