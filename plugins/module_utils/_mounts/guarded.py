# Copyright: (c) 2026, The Agentkeep authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What of the host is never mounted, or only if the operator insists."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Iterable

from .host import SHARED, STICKY, FoundPath, HostFacts

# C09: whoever can write there decides what runs on the host, or what is mounted.
NEVER = (
    "/bin",
    "/boot",
    "/dev",
    "/etc/agentkeep",
    "/proc",
    "/sbin",
    "/sys",
    "/usr/bin",
    "/usr/local/bin",
    "/usr/local/sbin",
    "/usr/sbin",
    "/var/lib/containerd",
    "/var/lib/docker",
)
NEVER_IN_HOMES = (".config/agentkeep", ".local/bin", "bin")
# B11: the operator's own login, and the engine, which is the same as being root.
SENSITIVE = (
    "/run/containerd",
    "/run/docker.sock",
    "/run/podman",
    "/var/run/containerd",
    "/var/run/docker.sock",
    "/var/run/podman",
)
SENSITIVE_IN_HOMES = (
    ".claude",
    ".claude.json",
    ".config/claude",
    ".config/claude-code",
)


@dataclass(frozen=True)
class Guarded:
    """Hold paths that stay out of mounts: those of ours, and the host's own."""

    data_roots: tuple[str, ...]
    allowlist: tuple[str, ...]
    engine_sockets: tuple[str, ...]
    facts: HostFacts

    def never(self) -> tuple[str, ...]:
        """Return what no option allows."""
        folders = tuple(path.rpartition("/")[0] for path in self.allowlist)
        return (
            *NEVER,
            *self.data_roots,
            *folders,
            *_in_homes(self.facts, NEVER_IN_HOMES),
        )

    def sensitive(self) -> tuple[str, ...]:
        """Return what allow_sensitive_mounts allows."""
        own = (*SENSITIVE, *self.engine_sockets)
        return (*own, *_in_homes(self.facts, SENSITIVE_IN_HOMES))


def _in_homes(facts: HostFacts, names: Iterable[str]) -> tuple[str, ...]:
    return tuple(f"{home}/{name}" for home in facts.homes for name in names)


def is_within(path: str, holder: str) -> bool:
    """Return whether a path is *holder* or lies below it."""
    return path == holder or path.startswith(f"{holder.rstrip('/')}/")


def touching(path: str, guarded: Iterable[str]) -> str | None:
    """Return the guarded path that *path* is, lies in or holds, or None."""
    for one in guarded:
        if one and (is_within(path, one) or is_within(one, path)):
            return one
    return None


def swapper(found: FoundPath, uids: frozenset[int], gids: frozenset[int]) -> str | None:
    """Return the directory on the way where an agent could swap what is mounted.

    *uids* and *gids* are those of the agents and components as the host sees them.
    Ids without a name on this host count too: other deployments have agents as well.
    """
    for one in found.way:
        owner = one.uid in uids or "uid" in one.nameless
        group = one.gid in gids or "gid" in one.nameless
        child = one.child_uid in uids or "child_uid" in one.nameless
        shared = bool(one.mode & 0o002) or (group and bool(one.mode & 0o020))
        if owner or (shared and (child or not one.mode & STICKY)):
            return one.path
    return None


def loose(found: FoundPath, user: int) -> str | None:
    """Return what others than root could change about a file, or None (C16)."""
    owners = {0, user}
    if found.uid not in owners:
        return f'"{found.resolved}" belongs to uid {found.uid}'
    if found.mode & SHARED:
        return f'others may write to "{found.resolved}" (mode {found.mode:04o})'
    for one in found.way:
        if one.uid not in owners:
            return f'"{one.path}" belongs to uid {one.uid}'
        if one.mode & SHARED and not (one.mode & STICKY and one.child_uid in owners):
            return f'others may write to "{one.path}" (mode {one.mode:04o})'
    return None
