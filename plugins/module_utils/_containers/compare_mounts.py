# Copyright: (c) 2026, The Agentkeep authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What differs between declared mounts, those of a container, and their sources."""

from __future__ import annotations

import posixpath
from typing import Iterator

from .._mounts.mount import EffectiveMount
from .container import Container
from .difference import LAYOUT, Difference
from .observed import MountPoint, Observed, ObservedMount, SourceState


def mount_differences(container: Container, observed: Observed) -> Iterator[Difference]:
    """Yield the mounts that are missing, of another kind, or too many (K03)."""
    there = {mount.target: mount for mount in observed.mounts}
    declared = {mount.target: mount for mount in container.mounts}
    for target, mount in declared.items():
        found, wanted = there.get(target), _written(_as_observed(mount))
        if found is None:
            yield Difference("mounts", None, wanted, kind="missing", subject=target)
        elif _written(found) != wanted:
            yield Difference("mounts", _written(found), wanted, subject=target)
    for target, found in there.items():
        if target not in declared:
            old = _written(found)
            yield Difference("mounts", old, None, kind="extra", subject=target)


def source_differences(
    container: Container, observed: Observed
) -> Iterator[Difference]:
    """Yield what compose cannot see: sources, and what the container really holds."""
    there = {mount.target: _written(mount) for mount in observed.mounts}
    table = {point.target: point for point in observed.mount_table or ()}
    for mount in container.mounts:
        state = observed.sources.get(mount.target)
        if mount.type == "bind" and state is not None:
            yield from _on_the_host(mount, state)
        known = there.get(mount.target) == _written(_as_observed(mount))
        if observed.mount_table is not None and known:
            yield from _in_the_container(mount, state, table.get(mount.target))


def _as_observed(mount: EffectiveMount) -> ObservedMount:
    return ObservedMount(
        type=mount.type,
        source=mount.source,
        target=mount.target,
        access=mount.effective,
    )


def _written(mount: ObservedMount) -> str:
    source = mount.source
    if mount.type == "bind":
        source = posixpath.normpath(source)
    return f"{mount.type} {source} {mount.access}"


def _on_the_host(mount: EffectiveMount, state: SourceState) -> Iterator[Difference]:
    if not state.exists:
        yield _fault(mount, "missing", "nothing", mount.source, heal=LAYOUT)
        return
    if mount.uid is not None and (state.uid, state.gid) != (mount.uid, mount.gid):
        old, new = f"{state.uid}:{state.gid}", f"{mount.uid}:{mount.gid}"
        yield _fault(mount, "owner", old, new, heal=LAYOUT)
    if mount.mode is not None and state.mode != mount.mode:
        old, new = f"{state.mode or 0:04o}", f"{mount.mode:04o}"
        yield _fault(mount, "mode", old, new, heal=LAYOUT)


def _in_the_container(
    mount: EffectiveMount, state: SourceState | None, point: MountPoint | None
) -> Iterator[Difference]:
    if point is None:
        yield _fault(mount, "not_mounted", "nothing", mount.source)
        return
    if point.read_only != mount.read_only:
        old = "ro" if point.read_only else "rw"
        yield _fault(mount, "mode_mismatch", old, mount.effective)
    if mount.type != "bind":
        return
    if point.deleted:
        yield _fault(mount, "deleted", "a directory without a name", mount.source)
    elif state is not None and point.inode:
        held, found = (point.device, point.inode), (state.device, state.inode)
        if held != found:
            old, new = f"inode {point.inode}", f"inode {state.inode or 'of a new one'}"
            yield _fault(mount, "replaced", old, new)


def _fault(
    mount: EffectiveMount, kind: str, old: str, new: str, *, heal: str = "recreate"
) -> Difference:
    return Difference("source", old, new, heal=heal, kind=kind, subject=mount.target)
