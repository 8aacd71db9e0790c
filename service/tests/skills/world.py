# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""The directories of a sync below one, and what a test does to them."""

from __future__ import annotations

import os
import shutil
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from agentd.skills.sync import SkillPlaces, SkillsReport, sync_skills
from agentd.skills.values import Limits

MARK = ".agentkeep"


@dataclass
class World:
    """Skills are directories with a SKILL.md, and whatever else a test writes."""

    root: Path
    limits: Limits = field(default_factory=Limits)
    steps: list[str] = field(default_factory=list)

    @property
    def built_in(self) -> Path:
        """The skills of the image."""
        return self.root / "built-in"

    @property
    def org(self) -> Path:
        """The skills of the organisation."""
        return self.root / "org"

    @property
    def uploaded(self) -> Path:
        """The skills that were uploaded."""
        return self.root / "uploaded"

    @property
    def user(self) -> Path:
        """The skills of the agent itself."""
        return self.root / "memory" / "skills"

    @property
    def copies(self) -> Path:
        """Where the CLI looks for skills."""
        return self.root / "memory" / ".claude" / "skills"

    @property
    def state(self) -> Path:
        """The manifest."""
        return self.root / "memory" / ".claude" / ".agentkeep" / "skills.json"

    @property
    def places(self) -> SkillPlaces:
        """The places that a sync is told."""
        return SkillPlaces(
            built_in=self.built_in,
            org=self.org,
            uploaded=self.uploaded,
            user=self.user,
            destination=self.copies,
            state=self.state,
        )

    def lay_out(self) -> World:
        """Make the directories that a boot makes before the sync."""
        sources = (self.built_in, self.org, self.uploaded)
        for directory in (*sources, self.user, self.copies):
            directory.mkdir(parents=True)
        return self

    def sync(self, selection: Sequence[str] | None = None) -> SkillsReport:
        """Sync as a boot does; the steps are kept."""
        self.steps.clear()
        return sync_skills(self.places, selection, self.steps.append, self.limits)

    def kept(self) -> dict[str, str]:
        """Return the text of each version that was kept beside, by its name."""
        shelf = self.user / ".agentkeep-conflicts"
        names = sorted(os.listdir(shelf)) if shelf.exists() else []
        return {name: (shelf / name / "SKILL.md").read_text() for name in names}


def in_a_child(act: Callable[[], None]) -> bool:
    """Do it in a process of its own; return whether a signal killed that."""
    with warnings.catch_warnings():
        # Later Pythons warn of any thread at a fork; the child runs no other.
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child == 0:
        status = 1
        try:
            act()
            status = 0
        finally:
            os._exit(status)
    _pid, status = os.waitpid(child, 0)
    assert status == 0 or os.WIFSIGNALED(status)
    return os.WIFSIGNALED(status)


def write(directory: Path, name: str, text: str, file: str = "SKILL.md") -> Path:
    """Write one file of a skill; return its path."""
    path = directory / name / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def read(directory: Path, name: str, file: str = "SKILL.md") -> str:
    """Return the text of one file of a skill."""
    return (directory / name / file).read_text()


def remove(directory: Path, name: str) -> None:
    """Remove a skill."""
    shutil.rmtree(directory / name)


def content(directory: Path) -> dict[str, str]:
    """Return every file below a directory with its text; links as what they say."""
    held = {}
    for path in sorted(directory.rglob("*")):
        name = str(path.relative_to(directory))
        if path.name == MARK:
            continue
        if path.is_symlink():
            held[name] = f"-> {os.readlink(path)}"
        elif path.is_file():
            held[name] = path.read_text(errors="replace")
    return held


def times(directory: Path) -> dict[str, tuple[int, int, int]]:
    """Return what a touched file or directory would change, for each of them."""
    paths = [directory, *directory.rglob("*")]
    found = {str(path): path.lstat() for path in paths}
    return {
        name: (status.st_ino, status.st_mtime_ns, status.st_ctime_ns)
        for name, status in found.items()
    }
