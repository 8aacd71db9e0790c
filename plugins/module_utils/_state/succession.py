# Copyright: (c) 2026, The Agentkeep authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Directories whose owner is somebody else than the one they were made for."""

from __future__ import annotations

import contextlib
from typing import Iterator, Mapping

from .._errors import InvalidInput, LayoutRefused
from .id_map import IDENTITY
from .identity import Identity
from .marker import MARKER_FILE, Marker

MOST_NAMED = 3


def demand_same_owners(earlier: Marker | None, wanted: Marker, root: str) -> None:
    """Raise LayoutRefused where directories were made for other ids."""
    found = list(_differences(earlier, wanted)) if earlier else []
    if found:
        more = len(found) - MOST_NAMED
        raise LayoutRefused(
            f'Cannot lay out "{root}" for other owners',
            "; ".join(found[:MOST_NAMED])
            + (f"; and {more} more" if more > 0 else "")
            + f" (its {MARKER_FILE})",
            "Set repair to true once to give everything to the new owners, or put the "
            "uid, gid or uid_offset back.",
        )


def stale_groups(earlier: Marker | None, wanted: Marker) -> frozenset[int]:
    """Return the groups on the host that had files and stand for nobody now."""
    if earlier is None:
        return frozenset()
    return frozenset(_groups(earlier)) - frozenset(_groups(wanted))


def _groups(marker: Marker) -> Iterator[int]:
    id_map = marker.id_map or IDENTITY
    for one in (*marker.agents.values(), *marker.components.values()):
        with contextlib.suppress(InvalidInput):
            yield id_map.host_gid(one.gid)


def _differences(earlier: Marker, wanted: Marker) -> Iterator[str]:
    if earlier.id_map and wanted.id_map and earlier.id_map != wanted.id_map:
        yield (
            "they were made for an engine that maps ids by "
            f"{earlier.id_map.for_output()}, and it maps them by "
            f"{wanted.id_map.for_output()} now"
        )
    yield from _changed("agent ", earlier.agents, wanted.agents)
    yield from _changed("", earlier.components, wanted.components)


def _changed(
    label: str, earlier: Mapping[str, Identity], wanted: Mapping[str, Identity]
) -> Iterator[str]:
    for name, identity in wanted.items():
        before = earlier.get(name, identity)
        if before != identity:
            yield (
                f'{label}"{name}" had {before.uid}:{before.gid} and is to have '
                f"{identity.uid}:{identity.gid}"
            )
