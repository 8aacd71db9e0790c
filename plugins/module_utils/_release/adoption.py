# Copyright: (c) 2026, The Agentkeep authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a version without releases left running, kept as the release to go back to."""

from __future__ import annotations

from dataclasses import replace
from typing import Iterator

from .._containers.adopted import container_of
from .._containers.compose import compose_text
from .._containers.container import ID_LABEL, Container, DeclaredIdentity
from .._containers.observed import Observed
from .._deploy.decide import Verdict
from .._deploy.env_file import upsert
from .._deploy.file_plan import FileStep
from .._deploy.reading import Reading
from .._deploy.release import release_of, release_repository, release_tag
from .workshop import Workshop

PROJECT_LABEL = "com.docker.compose.project"


def adopted(shop: Workshop, reading: Reading, verdict: Verdict) -> Reading:
    """Keep what runs as a release, if an older version made it; return the reading.

    Whoever has an id was made by a version that keeps releases: where none is kept, it
    never ran well. The index comes last, so that half of it is none.
    """
    there = [one.observed for one in reading.found.values() if one.ours]
    known = reading.index.current is not None or reading.journal is not None
    if known or not any(one.running for one in there):
        return reading
    if not all(_is_older(one, shop.wanted.project) for one in there):
        return reading
    containers = tuple(_containers(shop, there, verdict))
    files = tuple(_files(reading, verdict))
    release = release_of(
        containers, compose_text(containers, shop.wanted.project), files
    )
    environments = {
        one.service: upsert(None, one.secret_environment) or "" for one in containers
    }
    shop.store.write_release(release, files, environments)
    shop.resources.make(release)
    index = reading.index.with_current(release.id)
    shop.store.write_index(index)
    return replace(reading, index=index, releases={release.id: release})


def _is_older(one: Observed, project: str) -> bool:
    has_image = one.image_config is not None
    made_by = one.labels.get(PROJECT_LABEL)
    return has_image and made_by == project and ID_LABEL not in one.labels


def _containers(
    shop: Workshop, there: list[Observed], verdict: Verdict
) -> Iterator[Container]:
    repository = release_repository(shop.wanted.deployment.name)
    declared = {one.name: one for one in verdict.containers}
    steps = {one.name: one for one in verdict.decision.steps}
    for one in there:
        step = steps[one.name]
        bare = Container(service=step.service, component=step.component)
        reference = f"{repository}:{release_tag(one.image_id)}"
        identity = DeclaredIdentity(shop.id, references={step.service: reference})
        yield container_of(one, declared.get(one.name, bare), identity)


def _files(reading: Reading, verdict: Verdict) -> Iterator[FileStep]:
    """Yield the files that a release keeps, as they are before they are written."""
    for step in verdict.files:
        found = reading.files.get(step.file.path)
        if step.is_released and found is not None and found.content is not None:
            file = replace(step.file, uid=found.uid, gid=found.gid, mode=found.mode)
            yield FileStep(file, "unchanged", found.content)
