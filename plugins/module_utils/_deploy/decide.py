# Copyright: (c) 2026, The Agentkeep authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a run of the module deployment does, all of it, from what was read."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Iterable, Mapping

from .._containers.compose import compose_text
from .._containers.container import SETTINGS_LABEL, Container, DeclaredIdentity
from .._containers.declare import containers_of
from .._errors import DeploymentRefused
from .edited import comparing
from .env_file import names_in, upsert
from .file_plan import FileStep, plan_files, settings_of
from .legacy import Sighting, legacy_warnings
from .plan import (
    CREATED,
    RECREATED,
    REMOVED,
    Decision,
    Step,
    plan_containers,
    plan_removal,
)
from .reading import Reading
from .release import Release, gone_files, release_of, release_repository, release_tag
from .wanted import UNKNOWN_IMAGE, Wanted

INTERRUPTED = "An earlier run was interrupted; this one finishes or undoes it."


@dataclass(frozen=True)
class Verdict:
    """Hold what a run does with containers, files and secrets, and what it warns of."""

    decision: Decision
    files: tuple[FileStep, ...] = ()
    environments: Mapping[str, str | None] = field(default_factory=dict, repr=False)
    containers: tuple[Container, ...] = ()
    release: Release | None = None
    warnings: tuple[str, ...] = ()
    wiped: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    tidies: bool = False
    verified: Decision | None = None

    @property
    def changed_files(self) -> tuple[FileStep, ...]:
        """Return the files that are written or removed."""
        return tuple(step for step in self.files if step.action != "unchanged")

    @property
    def changes(self) -> bool:
        """Return whether the run changes anything."""
        return bool(
            self.decision.changes
            or any(step.faults_of_layout for step in self.decision.steps)
            or self.changed_files
            or self.environments
            or self.tidies
            or any(self.wiped.values())
        )


def decide(reading: Reading, wanted: Wanted) -> Verdict:
    """Given what was read and what is declared, return what is done."""
    files = plan_files(wanted.files, reading.files, reading.tokens)
    containers = declared_containers(reading, wanted, files)
    decision = plan_containers(containers, reading.found, comparing(reading, files))
    files += gone_files(reading.current, files, reading.files)
    release = release_of(containers, compose_text(containers, wanted.project), files)
    tidies = (
        release.id != reading.index.current
        or reading.compose != release.compose
        or reading.journal is not None
    )
    return Verdict(
        decision=decision,
        files=files,
        environments=_environments(reading, containers),
        containers=containers,
        release=release,
        warnings=_warnings(reading, wanted, decision),
        tidies=tidies,
    )


def decide_removal(
    reading: Reading, wanted: Wanted, volumes: Iterable[str], networks: Iterable[str]
) -> Verdict:
    """Given what was read, return the removal of all but data, or of all (A18)."""
    steps = tuple(
        FileStep(file, "removed", b"")
        for file in wanted.files
        if file.path in reading.files and file.policy == "replace"
    )
    steps += gone_files(reading.current, steps, reading.files)
    wiped = {"volumes": tuple(volumes), "directories": ()} if wanted.wipe else {}
    if wanted.wipe and reading.id is not None:
        wiped["directories"] = directories_of_data(wanted)
    return Verdict(
        decision=plan_removal(reading.found),
        files=steps,
        environments=dict.fromkeys(reading.environments),
        wiped=wiped,
        tidies=bool(reading.generated or tuple(networks)),
    )


def decide_previous(reading: Reading, wanted: Wanted) -> Verdict:
    """Given what was read, return the way back to the release before."""
    target = reading.previous
    if target is None:
        raise DeploymentRefused(
            f'Cannot put back the previous release of "{wanted.deployment.name}"',
            "none is kept",
            "Set state to present and declare what should run.",
        )
    there = {name for name, one in reading.found.items() if one.ours}
    steps = []
    for service, one in sorted(target.services.items()):
        found = reading.found.get(one.container)
        steps.append(
            Step(
                name=one.container,
                service=service,
                component=one.component,
                agent=found.observed.labels.get("agentkeep.agent") if found else None,
                action=RECREATED if one.container in there else CREATED,
                observed=found.observed if found else None,
            )
        )
    declared = {one.container for one in target.services.values()}
    removal = plan_removal(
        {n: one for n, one in reading.found.items() if n not in declared}
    )
    return Verdict(
        decision=Decision((*steps, *removal.steps)), release=target, tidies=True
    )


def declared_containers(
    reading: Reading, wanted: Wanted, files: tuple[FileStep, ...]
) -> tuple[Container, ...]:
    """Return the containers with the images, ids and settings of this host."""
    bare = containers_of(
        wanted.deployment,
        wanted.mounts,
        wanted.services,
        DeclaredIdentity(id=reading.id or ""),
    )
    if not wanted.deployment.managed:
        return tuple(
            replace(one, name=name)
            for one in bare
            for name in reading.matches.get(one.name) or (one.name,)
        )
    repository = release_repository(wanted.deployment.name)
    images = {
        one.service: reading.images.get(str(one.image), f"{UNKNOWN_IMAGE}{one.image}")
        for one in bare
    }
    return containers_of(
        wanted.deployment,
        wanted.mounts,
        wanted.services,
        DeclaredIdentity(
            id=reading.id or "",
            settings={
                one.service: _settings(reading, wanted, one, files) for one in bare
            },
            images=images,
            references={
                service: f"{repository}:{release_tag(image)}"
                for service, image in images.items()
                if not image.startswith(UNKNOWN_IMAGE)
            },
        ),
    )


def directories_of_data(wanted: Wanted) -> tuple[str, ...]:
    """Return the directories that a wipe removes, below the data root."""
    own = wanted.deployment.name
    outside = {
        path
        for entry in wanted.deployment.inventory.entries
        if entry.source is not None
        for _agent, path in wanted.deployment.located(entry)
        if not path.startswith(f"{own}/")
    }
    return (*sorted(outside), own)


def before_and_after(verdict: Verdict) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return what is shown as the difference; secrets are masked, files unread."""
    before: dict[str, Any] = {"containers": {}, "files": {}}
    after: dict[str, Any] = {"containers": {}, "files": {}}
    for step in verdict.decision.steps:
        if step.action in (CREATED, REMOVED) or step.reasons:
            before["containers"][step.service] = {
                f"{one.field} {one.subject}".strip(): one.old for one in step.reasons
            }
            after["containers"][step.service] = {
                f"{one.field} {one.subject}".strip(): one.new for one in step.reasons
            }
    for one in verdict.changed_files:
        place = f"{one.file.path}"
        before["files"][place] = "" if one.action == "created" else "as it was"
        after["files"][place] = "" if one.action == "removed" else "as declared"
    for service, text in verdict.environments.items():
        before["files"][f"environment/{service}.env"] = "as it was"
        after["files"][f"environment/{service}.env"] = (
            "" if text is None else "sets " + ", ".join(names_in(text))
        )
    return before, after


def _settings(
    reading: Reading, wanted: Wanted, one: Container, files: tuple[FileStep, ...]
) -> str:
    found = reading.found.get(one.name)
    if not wanted.compares_settings and found is not None:
        return found.observed.labels.get(SETTINGS_LABEL, "")
    return settings_of(one, files, one.secret_environment)


def _environments(
    reading: Reading, containers: tuple[Container, ...]
) -> dict[str, str | None]:
    """Return the text of each file of secrets that changes; None removes it."""
    released = reading.current.services if reading.current else {}
    found: dict[str, str | None] = {}
    for one in containers:
        before = reading.environments.get(one.service)
        earlier = released.get(one.service)
        text = upsert(
            before, one.secret_environment, earlier.secrets if earlier else ()
        )
        if text != before:
            found[one.service] = text
    services = {one.service for one in containers}
    gone = [service for service in reading.environments if service not in services]
    return {**found, **dict.fromkeys(gone)}


def _warnings(reading: Reading, wanted: Wanted, decision: Decision) -> tuple[str, ...]:
    sightings = [
        Sighting(where, variables=names) for where, names in wanted.declared_names
    ]
    sightings += [
        Sighting(f"environment/{service}.env", variables=names_in(text))
        for service, text in sorted(reading.environments.items())
    ]
    for step in decision.steps:
        if step.container is not None:
            targets = tuple(mount.target for mount in step.container.mounts)
            sightings.append(Sighting(f'the mounts of "{step.service}"', (), targets))
        if step.observed is not None and step.action not in (RECREATED, REMOVED):
            sightings.append(_running(step.service, step.observed))
        elif step.observed is not None and not wanted.legacy.refused:
            sightings.append(_running(step.service, step.observed))
    interrupted = (INTERRUPTED,) if reading.journal else ()
    mounts = wanted.mounts.warnings
    return (*interrupted, *mounts, *legacy_warnings(wanted.legacy, sightings))


def _running(service: str, observed: Any) -> Sighting:
    return Sighting(
        f'the container of "{service}"',
        tuple(observed.environment),
        tuple(mount.target for mount in observed.mounts),
    )
