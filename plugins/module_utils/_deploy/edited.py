# Copyright: (c) 2026, The Agentkeep authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Files that others edited, of which a container may have read what they wrote."""

from __future__ import annotations

from .._containers.compare import differences
from .._containers.container import Container
from .._containers.difference import Difference
from .._containers.observed import Observed
from .file_plan import FileStep
from .plan import Compare
from .reading import Reading


def comparing(reading: Reading, files: tuple[FileStep, ...]) -> Compare:
    """Return the comparison that also sees files which others edited meanwhile.

    A container that was restarted since then has read them, and nothing about it shows.
    """
    edited = [one for one in files if one.is_edited(reading.files.get(one.file.path))]

    def compare(container: Container, observed: Observed) -> tuple[Difference, ...]:
        found = differences(container, observed)
        if any(one.field == "settings" for one in found):
            return found
        return found + tuple(
            Difference(
                "settings",
                "edited by others",
                "as declared",
                kind="edited",
                subject=f"{one.file.entry}/{one.file.name}",
            )
            for one in edited
            if one.is_read_by(container)
        )

    return compare
