# Copyright: (c) 2026, The Agentkeep authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where releases, the journal, the compose file and secrets of a deployment lie."""

from __future__ import annotations

from typing import Iterable, Mapping

from .._deploy.file_plan import FileStep
from .._deploy.journal import Journal
from .._deploy.release import Release, ReleaseIndex
from .._files.trust import FORGED, demand_trusted
from .place import FileState, Place

COMPOSE = "compose.yml"
JOURNAL = "journal.json"
ENVIRONMENT = "environment"
RELEASES = "releases"
INDEX = f"{RELEASES}/index.json"
MANIFEST = "release.json"
DATABASES = "database"
SUFFIX = ".env"


class Store:
    """Keep what a deployment needs to be run again; only root may look into it."""

    def __init__(self, place: Place, deployment: str, managed: bool = True) -> None:
        self.place = place
        self.deployment = deployment
        self._managed = managed

    def path(self, *parts: str) -> str:
        """Return a path of the deployment below the data root."""
        return "/".join((self.deployment, *parts))

    def shown(self, *parts: str) -> str:
        """Return the whole path of what lies in the deployment's directory."""
        return self.place.shown(self.path(*parts))

    def text(self, *parts: str) -> bytes | None:
        """Return what a file of the store holds, or None if there is none."""
        found = self.place.file(self.path(*parts))
        if found is not None and self._managed and parts[0] in (JOURNAL, RELEASES):
            demand_trusted(found.uid, self.shown(*parts), FORGED)
        return None if found is None else found.content

    def keep(self, content: str | bytes, *parts: str) -> None:
        """Write a file that only root may read."""
        raw = content.encode() if isinstance(content, str) else content
        if len(parts) > 1:
            self.place.make_private(self.path(*parts[:-1]))
        self.place.write(self.path(*parts), FileState(0, 0, 0o600, raw))

    def drop(self, *parts: str) -> bool:
        """Remove a file of the store; return whether it was there."""
        return self.place.remove(self.path(*parts))

    def journal(self) -> Journal | None:
        """Return what the last run left unfinished."""
        return Journal.from_text(self.text(JOURNAL))

    def write_journal(self, journal: Journal) -> Journal:
        """Write down how far the run is."""
        self.keep(journal.text(), JOURNAL)
        return journal

    def index(self) -> ReleaseIndex:
        """Return which releases are kept."""
        return ReleaseIndex.from_text(self.text(INDEX))

    def write_index(self, index: ReleaseIndex) -> None:
        """Write down which release runs."""
        self.keep(index.text(), *INDEX.split("/"))

    def release(self, name: str) -> Release | None:
        """Return a kept release, or None if it is not whole."""
        manifest = self.text(RELEASES, name, MANIFEST)
        compose = self.text(RELEASES, name, COMPOSE)
        if manifest is None or compose is None:
            return None
        return Release.from_manifest(manifest, compose.decode("utf-8", "replace"))

    def write_release(
        self,
        release: Release,
        files: Iterable[FileStep],
        environments: Mapping[str, str],
    ) -> None:
        """Keep a release; its manifest comes last, so that half of one is none."""
        own = (RELEASES, release.id)
        self.keep(release.compose, *own, COMPOSE)
        self.place.make_private(self.path(*own, "files"))
        kept = {step.file.path: step.content for step in files}
        for number, file in enumerate(release.files):
            self.keep(kept[file.path], *own, "files", str(number))
        for service, text in environments.items():
            self.keep(text, *own, ENVIRONMENT, f"{service}{SUFFIX}")
        self.keep(release.manifest(), *own, MANIFEST)

    def released_file(self, release: Release, number: int) -> bytes | None:
        """Return what a file of a release held."""
        return self.text(RELEASES, release.id, "files", str(number))

    def environments(self, *above: str) -> dict[str, str]:
        """Return the files of secrets by service, of a release or those in use."""
        directory = (*above, ENVIRONMENT)
        found = {}
        for name in self.place.regular_names(self.path(*directory)):
            text = self.text(*directory, name) if name.endswith(SUFFIX) else None
            if text is not None:
                service = name[: -len(SUFFIX)]
                found[service] = text.decode("utf-8", "surrogateescape")
        return found

    def write_environment(self, service: str, text: str | None) -> None:
        """Write the secrets of a service, or remove their file."""
        if text is None:
            self.drop(ENVIRONMENT, f"{service}{SUFFIX}")
        else:
            raw = text.encode("utf-8", "surrogateescape")
            self.keep(raw, ENVIRONMENT, f"{service}{SUFFIX}")

    def prune(self, kept: Iterable[str]) -> None:
        """Remove the releases that are not kept."""
        wanted = {*kept, INDEX.rpartition("/")[2]}
        for name in self.place.names(self.path(RELEASES)):
            if name not in wanted:
                self.place.remove_all(self.path(RELEASES, name))

    def generated(self) -> tuple[str, ...]:
        """Return what of the generated files is there."""
        found = [JOURNAL, COMPOSE, ENVIRONMENT, RELEASES]
        return tuple(one for one in found if self.place.exists(self.path(one)))

    def remove_generated(self) -> None:
        """Remove all generated files; data is none of them."""
        for directory in (ENVIRONMENT, RELEASES):
            self.place.remove_all(self.path(directory))
        for name in (COMPOSE, JOURNAL):
            self.drop(name)
