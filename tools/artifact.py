# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Check that a built artifact holds all that a user needs, and nothing else.

The manifest is an allow-list of names and suffixes; a new suffix would be left out
without a word. So every file of the directories that ship must be in it.
"""

from __future__ import annotations

import sys
import tarfile
from pathlib import Path

from working_tree import working_tree

SHIPPED = (
    "LICENSES",
    "changelogs",
    "docs",
    "meta",
    "playbooks",
    "plugins",
    "profiles",
    "roles",
    "service",
)
SHIPPED_FILES = {"CHANGELOG.md", "COPYING", "README.md", "REUSE.toml"}
ADDED_BY_ANSIBLE = {"FILES.json", "MANIFEST.json"}
NOT_SHIPPED = ("service/tests/",)


def belonging() -> set[str]:
    """Return the files of this checkout that must be in the artifact."""
    names = working_tree(*SHIPPED, *SHIPPED_FILES)
    return {name for name in names if not name.startswith(NOT_SHIPPED)}


def contents(artifact: Path) -> set[str]:
    """Return the names of the files in the artifact."""
    with tarfile.open(artifact) as archive:
        return {member.name for member in archive if member.isfile()}


def problems(wanted: set[str], found: set[str]) -> list[str]:
    """Return a sentence for each file that is missing or should not be there."""
    return [
        f'"{name}" belongs here but does not ship. Name it in galaxy.yml, manifest.'
        for name in sorted(wanted - found)
    ] + [
        f'"{name}" ships but is ignored by git. Exclude it in galaxy.yml, manifest.'
        for name in sorted(found - wanted - ADDED_BY_ANSIBLE)
    ]


def main(directory: Path) -> int:
    """Check the newest artifact below directory; return the exit status."""
    artifacts = sorted(
        directory.glob("*.tar.gz"), key=lambda path: path.stat().st_mtime
    )
    if not artifacts:
        print(f'There is no artifact in "{directory}". Run `nox -s build`.')
        return 1
    wrong = problems(belonging(), contents(artifacts[-1]))
    print("\n".join(wrong or [f"{artifacts[-1].name}: complete"]))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
