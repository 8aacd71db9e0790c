# Copyright: (c) 2026, The Agentkeep authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether the Claude CLI can keep its transcripts where it is told to."""

from __future__ import annotations

from .._errors import InvalidInput
from .container import Container

PROJECTS = "projects"


def projects_fault(container: Container) -> str | None:
    """Return why transcripts would be lost in silence, or None (B07).

    The CLI writes them below ``projects`` in its configuration directory. If it cannot,
    it says nothing, and no conversation can be resumed.
    """
    directory = container.config_directory
    if directory is None:
        return None
    path = f"{directory}/{PROJECTS}"
    holding = [
        (mount.target, "rw" if mount.effective == "rw" else "ro")
        for mount in container.mounts
    ] + [(one.target, "memory") for one in container.temporary]
    found = [one for one in holding if path == one[0] or path.startswith(f"{one[0]}/")]
    if not found:
        return f'"{path}" is in no mount and would be lost with the container'
    target, access = max(found, key=lambda one: len(one[0]))
    if access == "ro":
        return f'"{path}" is in the mount at "{target}", which is read-only'
    if access == "memory":
        return f'"{path}" is in "{target}", which is in memory and lost at each start'
    return None


def demand_writable_projects(container: Container) -> None:
    """Raise InvalidInput unless transcripts can be kept."""
    fault = projects_fault(container)
    if fault:
        raise InvalidInput(
            f'Cannot use config_directory of service "{container.service}"',
            fault,
            f'Add an entry to the inventory that mounts "{container.config_directory}/'
            f'{PROJECTS}" for writing, or correct config_directory.',
        )
