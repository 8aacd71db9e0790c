# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""In which directory the agent's side starts a CLI, and when it refuses to."""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from skills.world import in_a_child

from agentd.agent.definitions import Definitions
from agentd.agent.log import Log
from agentd.agent.settings import AgentSettings
from agentd.agent.start import StartRefused, parse_start
from agentd.definitions.resolve import Tiers
from agentd.definitions.store import Store
from agentd.definitions.values import AGENTS, Content, UploadLimits
from agentd.spawner.dial import CallFailed
from agentd.spawner.protocol import CliStart
from agentd.transcripts.key import project_key

AGENT_UID = 20_101
START = CliStart(session_id=str(uuid.uuid4()), resume=False)


@pytest.fixture
def settings(tmp_path: Path) -> AgentSettings:
    """An agent, and a definition that was uploaded for it."""
    uploaded = tmp_path / "definitions" / "agents"
    uploaded.parent.mkdir()
    limits = UploadLimits(10_000, 10)
    store = Store(AGENTS, Tiers(uploaded, tmp_path / "none"), limits)
    store.add("reviewer", {"CLAUDE.md": Content(b"You review.")})
    memory = tmp_path / "memory"
    memory.mkdir()
    return AgentSettings(
        component="agent",
        deployment="test",
        agent="main",
        working_directory=str(memory),
        config_directory=str(memory / ".claude"),
        definitions_directory=str(uploaded),
        built_in_definitions_directory=str(tmp_path / "none"),
        definition_work_directory=str(memory / "definitions"),
    )


@pytest.fixture
def directory_of(settings: AgentSettings) -> Callable[[CliStart], Path]:
    """Return what says where a CLI works."""
    return Definitions(settings, Log("main", "info")).directory_of


def test_a_cli_works_in_the_directory_of_its_definition_or_in_the_agents_own(
    settings: AgentSettings, directory_of: Callable[[CliStart], Path]
) -> None:
    """P01, P14."""
    memory = Path(settings.working_directory)

    inside = directory_of(replace(START, definition="reviewer"))
    others = [directory_of(replace(START, definition=one)) for one in (None, "nobody")]

    assert inside == memory / "definitions" / "reviewer"
    assert (inside / "CLAUDE.md").read_text() == "You review."
    assert others == [memory, memory]


def test_a_session_of_a_definition_that_is_gone_stays_where_it_began(
    settings: AgentSettings, directory_of: Callable[[CliStart], Path]
) -> None:
    """Only the one that began there."""
    place = directory_of(replace(START, definition="reviewer"))
    config = Path(settings.config_directory)
    project = config / "projects" / project_key(place)
    project.mkdir(parents=True)
    (project / f"{START.session_id}.jsonl").write_text("{}\n")
    (Path(settings.definitions_directory) / "reviewer" / "CLAUDE.md").unlink()
    resumed = replace(START, resume=True, definition="reviewer")

    assert directory_of(resumed) == place
    other = replace(resumed, session_id=str(uuid.uuid4()))
    assert directory_of(other) == Path(settings.working_directory)


def test_what_control_finds_and_the_agent_does_not_is_an_error(
    directory_of: Callable[[CliStart], Path],
) -> None:
    """P02: never another directory than the one that was told."""
    start = replace(START, definition="nobody", definition_found=True)

    with pytest.raises(CallFailed, match="for control, and not for this agent"):
        directory_of(start)


@pytest.mark.root
@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, for other uids")
def test_a_definition_that_the_agent_may_not_read_is_not_taken_for_none(
    settings: AgentSettings,
    directory_of: Callable[[CliStart], Path],
    tmp_path: Path,
) -> None:
    """P08."""
    for place in (tmp_path, *tmp_path.parents):
        if place.name.startswith(("pytest-", "popen-", "test_")):
            place.chmod(0o755)
    Path(settings.definitions_directory).chmod(0o700)
    said = tmp_path / "said"
    said.touch()
    said.chmod(0o666)

    def act() -> None:
        os.setgid(AGENT_UID)
        os.setuid(AGENT_UID)
        try:
            directory_of(replace(START, definition="reviewer"))
        except CallFailed as error:
            said.write_text(str(error))

    in_a_child(act)

    assert f"Permission denied as uid {AGENT_UID}" in said.read_text()


@pytest.mark.parametrize(
    "given",
    [
        {"definition": ".."},
        {"definition": "a/b"},
        {"definition": 7},
        {"definition_found": "yes"},
    ],
)
def test_a_start_with_another_definition_than_a_name_is_refused(
    given: dict[str, object],
) -> None:
    """P03: whatever control was talked into."""
    start = {"session_id": START.session_id, "resume": False, **given}

    with pytest.raises(StartRefused, match="is not acceptable"):
        parse_start(start)
