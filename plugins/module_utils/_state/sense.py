# Copyright: (c) 2026, The Agentkeep authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What must hold between the keys of one entry."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .refusal import refused

if TYPE_CHECKING:
    from .entry import Entry


def check_sense(entry: Entry) -> None:
    """Raise InvalidInventory where two keys of the entry contradict each other."""
    if entry.form == "file":
        _check_file(entry)
    if entry.volume is not None and entry.directories:
        raise refused(
            entry.name,
            "it is a volume and has directories",
            "Give it a source instead of the volume, or remove the directories.",
        )
    if entry.within is not None and entry.scope != "agent":
        raise refused(
            entry.name,
            f'it is within "{entry.within}" but there is one for the whole deployment',
            "Set scope to agent, or give it a source.",
        )
    if entry.scope == "deployment" and entry.owner.needs_agent:
        raise refused(
            entry.name,
            f'it belongs to "{entry.owner.for_output()}" but is shared by all agents',
            "Choose root, a component or numbers, or set scope to agent.",
        )
    strangers = [m.component for m in entry.mounts if m.component != "agent"]
    if entry.scope == "agent" and strangers:
        raise refused(
            entry.name,
            f"there is one for each agent but {strangers[0]} mounts it",
            "Mount it into agents only, or give it within and mount the entry that "
            "holds it.",
        )


def _check_file(entry: Entry) -> None:
    if entry.source is None or entry.directories:
        raise refused(
            entry.name,
            "it is a file but has no source, or has directories",
            "Give it the source of the file and no directories.",
        )
    if entry.kind == "credentials":
        raise refused(
            entry.name,
            "credentials are replaced by renaming, and a mounted file stays the old "
            "one",
            "Mount the directory that holds the file: set form to directory.",
        )
    if any(mount.access == "rw" for mount in entry.mounts):
        raise refused(
            entry.name,
            "a file that is mounted can be replaced by nobody who sees it",
            "Set the access of its mounts to ro, or mount the directory that holds it.",
        )
