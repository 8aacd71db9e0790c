# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""In which directory a CLI works: the agent's own, or that of its definition."""

from __future__ import annotations

import os
import threading
from pathlib import Path

from agentd.agent.definition_sync import (
    DefinitionUnusable,
    make_directory,
    sync_definition,
)
from agentd.agent.log import Log
from agentd.agent.settings import AgentSettings
from agentd.definitions.names import wanted
from agentd.definitions.resolve import Tiers, resolve
from agentd.spawner.dial import CallFailed
from agentd.spawner.protocol import CliStart
from agentd.transcripts.find import transcript_state
from agentd.transcripts.key import project_key

GONE = (
    'The definition "{name}" is not there any more. Its session goes on in '
    "{directory}, with the files that were put there."
)


class Definitions:
    """Gives each definition a work directory that is writable and stays the same."""

    def __init__(self, settings: AgentSettings, log: Log) -> None:
        self._own = Path(settings.working_directory)
        self._work = Path(settings.definition_work_directory)
        self._config = Path(settings.config_directory)
        self._tiers = Tiers(
            Path(settings.definitions_directory),
            Path(settings.built_in_definitions_directory),
        )
        self._log = log
        self._one_at_a_time = threading.Lock()

    def directory_of(self, start: CliStart) -> Path:
        """Return where the CLI works, with its definition in place (P01, P14).

        Raise CallFailed if the definition is there and cannot be put in place.
        """
        name = wanted(start.definition)
        if name is None:
            return self._own
        try:
            found = resolve(self._tiers, name)
        except OSError as error:
            reason = f"{error.filename}: {error.strerror} as uid {os.geteuid()}"
            raise CallFailed(
                f'The definition "{name}" cannot be read: {reason}. Lay out the '
                "deployment's state again with repair."
            ) from error
        if found.path is not None:
            return self._placed(name, found.path)
        if start.definition_found:
            raise CallFailed(
                f'The definition "{name}" is there for control, and not for this '
                f"agent: {self._tiers.uploaded} and {self._tiers.built_in} have none. "
                "Mount the definitions into it, with the same image: deploy again."
            )
        place = self._work / name
        if start.resume and self._is_begun_in(place, start.session_id):
            warning = GONE.format(name=name, directory=place)
            self._log.event("warning", "definition_gone", warning=warning)
            return place
        self._log.event("warning", "definition_unknown", warning=found.warning)
        return self._own

    def _placed(self, name: str, source: Path) -> Path:
        place = self._work / name
        try:
            with self._one_at_a_time:
                make_directory(self._work)
                synced = sync_definition(source, place)
        except (DefinitionUnusable, OSError) as error:
            raise CallFailed(
                f'The definition "{name}" cannot be put into {place}: {error}. '
                "Correct that, or upload the definition again."
            ) from error
        if synced.changed or synced.warnings:
            level = "warning" if synced.kept or synced.warnings else "info"
            self._log.event(
                level,
                "definition_synced",
                definition=name,
                kept=synced.kept,
                warnings=synced.warnings,
            )
        return place

    def _is_begun_in(self, place: Path, session_id: str) -> bool:
        if not place.is_dir() or place.is_symlink():
            return False
        state = transcript_state(self._config, place, session_id, None)
        return state.exists and Path(state.path).parent.name == project_key(place)
