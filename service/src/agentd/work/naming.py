# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Names of repositories as callers write them, by the forges that are declared."""

from __future__ import annotations

from dataclasses import dataclass

from agentd.errors import WorkRefused
from agentd.settings import ControlSettings
from agentd.workdirs.names import (
    MAX_BRANCH,
    NameRefused,
    RepositoryName,
    is_branch,
    parse_repository,
)

NO_FORGE = (
    'Cannot work in repository "{text}": no forge is declared. Set deployment_forges, '
    "and deploy again."
)
OTHER_FORGE = (
    'Cannot work in repository "{text}": forge "{forge}" is not declared. Name one of '
    "{known}, or add it to deployment_forges."
)
NO_BRANCH = (
    '"{branch}" is no name of a branch that git takes. Name one of at most {most} '
    "characters, without spaces and without any of ~^:?*[\\."
)


@dataclass(frozen=True)
class Naming:
    """The declared forges; the first is meant where none is named."""

    forges: tuple[str, ...]

    @classmethod
    def of(cls, settings: ControlSettings) -> Naming:
        """Return the naming of these settings."""
        return cls(tuple(settings.forges))

    def repository(self, text: str) -> RepositoryName:
        """Return the repository that is named; raise WorkRefused."""
        if not self.forges:
            raise WorkRefused(NO_FORGE.format(text=text))
        try:
            found = parse_repository(text, self.forges[0])
        except NameRefused as error:
            raise WorkRefused(str(error)) from error
        if found.forge not in self.forges:
            known = ", ".join(f'"{one}"' for one in self.forges)
            refusal = OTHER_FORGE.format(text=text, forge=found.forge, known=known)
            raise WorkRefused(refusal)
        return found

    def short(self, repository: RepositoryName) -> str:
        """Return the one text under which a repository is stored."""
        first = self.forges[:1] == (repository.forge,)
        return repository.path if first else str(repository)

    def stored(self, text: str) -> str:
        """Return the text under which it is stored; free text stays as it is."""
        try:
            return self.short(self.repository(text))
        except WorkRefused:
            return text


def branch(text: str) -> str:
    """Return the branch; raise WorkRefused if git would not take its name."""
    if not is_branch(text):
        raise WorkRefused(NO_BRANCH.format(branch=text[:MAX_BRANCH], most=MAX_BRANCH))
    return text
