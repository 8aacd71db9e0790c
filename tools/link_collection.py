# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Make the checkout importable as ansible_collections.agentkeep.agents.

Ansible, mypy and pytest find a collection only below a directory of that name. A link
keeps them on the files that are being edited; a copy would be stale at the next change.
"""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
COLLECTIONS = ROOT / "collections"


def link(root: Path = ROOT) -> Path:
    """Return the directory to put on a collections path, with the link in place."""
    target = root / "collections" / "ansible_collections" / "agentkeep" / "agents"
    target.parent.mkdir(parents=True, exist_ok=True)
    if not target.is_symlink():
        target.symlink_to(root, target_is_directory=True)
    return root / "collections"


if __name__ == "__main__":
    print(link())
