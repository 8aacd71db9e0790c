# Copyright: (c) 2026, The Agentkeep authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Containers that are made or started, in the order in which that happens."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Iterable, Mapping

from .env_file import values_in
from .release import Release


@dataclass(frozen=True)
class Launch:
    """Hold a container to be made, and the secrets that its process is given."""

    service: str
    container: str
    wave: int
    start: bool
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)


def launches_of(
    release: Release, services: Iterable[str], environments: Mapping[str, str]
) -> tuple[Launch, ...]:
    """Return some services of a release with the secrets that their files hold."""
    wanted = set(services)
    return tuple(
        Launch(
            service=service,
            container=one.container,
            wave=one.wave,
            start=one.start,
            secrets=values_in(environments.get(service, ""), one.secrets),
        )
        for service, one in sorted(release.services.items())
        if service in wanted
    )


def in_waves(launches: Iterable[Launch]) -> tuple[tuple[Launch, ...], ...]:
    """Return the launches wave by wave (D06)."""
    waves: dict[int, list[Launch]] = {}
    for one in launches:
        waves.setdefault(one.wave, []).append(one)
    return tuple(tuple(waves[number]) for number in sorted(waves))


def in_batches(launches: Iterable[Launch]) -> tuple[tuple[Launch, ...], ...]:
    """Return the launches in batches that one call of compose can make.

    Compose takes secrets from its own environment, so that one call has one value for
    each name; and it starts all or none of what it makes.
    """
    batches: list[tuple[bool, dict[str, str], list[Launch]]] = []
    for one in launches:
        for start, values, batch in batches:
            if start == one.start and all(
                values.get(name, value) == value for name, value in one.secrets.items()
            ):
                values.update(one.secrets)
                batch.append(one)
                break
        else:
            batches.append((one.start, dict(one.secrets), [one]))
    return tuple(tuple(batch) for _start, _values, batch in batches)
