# Copyright: (c) 2026, The Agentkeep authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""docker compose, run so that nothing but its file decides what it does."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass, field
from typing import Iterable, Mapping

from .._errors import EngineFailed

# What docker and compose would otherwise take from whoever runs the play.
KEPT = ("PATH", "HOME", "TMPDIR", "LANG", "LC_ALL")
WITHOUT_HOME = "/root"
MASK = "•••"
LAST_CHARACTERS = 4000
# The kernel ends compose when we are killed; else the next run would work beside it.
TOGETHER = ("setpriv", "--pdeathsig", "TERM")


@dataclass(frozen=True)
class ComposeCommand:
    """Bring services of one compose file up, whatever compose itself would decide."""

    socket_path: str
    project: str
    file: str
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)

    def arguments(self, *command: str) -> list[str]:
        """Return the whole command line."""
        return [
            *("docker", "--host", f"unix://{self.socket_path}", "compose"),
            *("--ansi", "never", "--progress", "plain"),
            *("--file", self.file, "--project-name", self.project),
            *("--project-directory", "/", "--env-file", "/dev/null"),
            *command,
        ]

    def environment(self, own: Mapping[str, str]) -> dict[str, str]:
        """Return what compose may see: little of *own*, and the secrets."""
        kept = {name: own[name] for name in KEPT if name in own}
        return {"HOME": WITHOUT_HOME, **kept, **self.secrets}

    def up(self, services: Iterable[str], *, start: bool = True) -> None:
        """Make the services anew and start them; leave all others alone."""
        self._carry_out(
            *("up", "--detach", "--no-deps", "--no-build", "--force-recreate"),
            *(() if start else ("--no-start",)),
            *services,
        )

    def create(self, services: Iterable[str], *, start: bool = True) -> None:
        """Make the services that are missing; never make one anew."""
        self._carry_out(
            *("up", "--detach", "--no-deps", "--no-build", "--no-recreate"),
            *(() if start else ("--no-start",)),
            *services,
        )

    def masked(self, text: str) -> str:
        """Return what compose said without the secrets it was given."""
        for secret in sorted(self.secrets.values(), key=len, reverse=True):
            if secret:
                text = text.replace(secret, MASK)
        return text[-LAST_CHARACTERS:].strip()

    def _carry_out(self, *command: str) -> None:
        together = TOGETHER if shutil.which(TOGETHER[0]) else ()
        status, said = run_captured(
            [*together, *self.arguments(*command)], self.environment(os.environ)
        )
        if status:
            raise EngineFailed(
                f'Cannot bring up the project "{self.project}"',
                f"docker compose says: {self.masked(said)}",
                "Correct what it names, then run again.",
            )


def run_captured(
    arguments: list[str], environment: Mapping[str, str]
) -> tuple[int, str]:
    """Run a command; return its exit status and all it wrote."""
    try:
        finished = subprocess.run(
            arguments,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )
    except OSError as error:
        raise EngineFailed(
            f'Cannot run "{arguments[0]}"',
            error.strerror or str(error),
            "Install docker's command line with compose v2; the role "
            "agentkeep.agents.host does.",
        ) from error
    return finished.returncode, finished.stdout.decode("utf-8", "replace")
