# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Every way to lose a conversation without a word is found, and nothing else is.

One deployment has an agent for each row of the table, in a container of the agents'
own image. Each fault is done for real, and one run of agent_probe says what it sees.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.agentkeep.agents.plugins.module_utils._agentd import (
    conversations,
)
from ansible_collections.agentkeep.agents.plugins.module_utils._engine import engine
from ansible_collections.agentkeep.agents.plugins.module_utils._files import host_paths
from ansible_collections.agentkeep.agents.plugins.module_utils._probe import (
    attempt,
    inside,
    look,
    process,
    run,
    task,
)
from ansible_collections.agentkeep.agents.plugins.module_utils._probe import (
    options as asking,
)
from modules import play_tasks
from running import docker
from silent_loss_containers import (
    IMAGE,
    NAME,
    container_of,
    main_process,
    start,
    undo,
)
from silent_loss_deeds import MEMORY, Agent
from silent_loss_table import CLEAN, CONFIG, MORE, ROWS, Case, Finding

SOCKET = "/var/run/docker.sock"
FAULTS = (*ROWS, *MORE)
CASES = (*CLEAN, *FAULTS)
FIRST_UID = 20201
INVENTORY = [
    {
        "name": name,
        "scope": "agent",
        "source": name,
        "owner": "agent",
        "mode": "0750",
        "mounts": [{"component": "agent", "target": target, "access": "rw"}],
        "kind": "workspace",
        "backup": "files",
    }
    for name, target in (("memory", MEMORY), ("skill-data", "/data/skill-data"))
]


@dataclass(frozen=True)
class Seen:
    """What the probe said of the agent of one case."""

    findings: frozenset[Finding]
    messages: tuple[str, ...]
    conversations: frozenset[str | None]
    milliseconds: int


@pytest.fixture(scope="module")
def agents(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[Case, Agent]]:
    """A container for each case, with its fault."""
    root = tmp_path_factory.mktemp("state")
    found = {
        case: Agent(
            name=f"case-{number}",
            uid=FIRST_UID + number,
            directory=root / NAME / "agents" / f"case-{number}",
        )
        for number, case in enumerate(CASES)
    }
    try:
        for case, agent in found.items():
            start(case, agent)
        yield found
    finally:
        left = docker(
            "ps", "--all", "--quiet", f"--filter=label=agentkeep.deployment={NAME}"
        )
        docker("rm", "--force", *left.split())
        undo("chattr", "-R", "-i", str(root))
        for agent in found.values():
            for place in (agent.projects, agent.memory):
                undo("umount", str(place))


def options(agents: Mapping[Case, Agent], **more: Any) -> dict[str, Any]:
    """Return the options of agent_probe for the deployment."""
    root = next(iter(agents.values())).directory.parents[2]
    return {
        "inside": True,
        "data_root": str(root),
        "deployment": NAME,
        "inventory": INVENTORY,
        "agents": [{"name": one.name, "uid": one.uid} for one in agents.values()],
        "services": {"agent": {"image": IMAGE, "config_directory": CONFIG}},
        "wait_seconds": 0,
        **more,
    }


def asked(agents: Mapping[Case, Agent], **more: Any) -> asking.Inside:
    """Return the probe of the deployment, as the module would ask for it."""
    defaults = {
        "agent": None,
        "engine_socket": SOCKET,
        "faults": "report",
        "probe_timeout_seconds": 30,
    }
    given = {**defaults, **options(agents), **more}
    found = asking.Inside.from_params(given, host_paths.HostPaths())
    assert found is not None
    return found


@pytest.fixture(scope="module")
def seen(agents: Mapping[Case, Agent]) -> Mapping[Case, Seen]:
    """What one probe of all says, with the conversations that control would list."""
    known = conversations.sessions_of(
        conversations.Known(f"conv-{agent.name}", agent.name, agent.session)
        for case, agent in agents.items()
        if case.known
    )
    probed = run.probe_containers(engine.connect(SOCKET), asked(agents), known)
    by_agent = {one.container.agent: one for one in probed}
    found = {}
    for case, agent in agents.items():
        one = by_agent[agent.name]
        found[case] = Seen(
            frozenset((each.subject, each.step, each.error) for each in one.faults),
            tuple(each.text for each in one.faults),
            frozenset(each.conversation for each in one.faults),
            round(one.seconds * 1000),
        )
    return found


@pytest.mark.parametrize("case", FAULTS, ids=lambda case: case.name)
def test_a_silent_loss_is_found_as_what_it_is(
    seen: Mapping[Case, Seen], case: Case
) -> None:
    """K08, K16, A11, A14: entry, user, owner and mode are in each message."""
    assert seen[case].findings == case.found, seen[case].messages


@pytest.mark.parametrize("case", CLEAN, ids=lambda case: case.name)
def test_what_loses_nothing_is_no_fault(seen: Mapping[Case, Seen], case: Case) -> None:
    assert seen[case].findings == frozenset(), seen[case].messages


def test_a_lost_transcript_is_told_by_its_conversation(
    seen: Mapping[Case, Seen], agents: Mapping[Case, Agent]
) -> None:
    for case, agent in agents.items():
        if any(subject == "transcript" for subject, _step, _error in case.found):
            assert seen[case].conversations == {f"conv-{agent.name}"}


def test_the_table_of_faults_and_findings(
    seen: Mapping[Case, Seen], capsys: pytest.CaptureFixture[str]
) -> None:
    detected = sum(1 for case in FAULTS if seen[case].findings)
    alarms = sum(1 for case in CLEAN if seen[case].findings)
    with capsys.disabled():
        print("\nSilent losses: what was done → what the probe says")
        for case in CASES:
            said = "; ".join(seen[case].messages) or "nothing"
            print(f"  {case.name} ({seen[case].milliseconds} ms) → {said}")
        print(f"  found {detected} of {len(FAULTS)}, false alarms {alarms}")

    assert (detected, alarms) == (len(FAULTS), 0)


def test_a_probe_that_takes_too_long_is_ended_and_a_fault(
    agents: Mapping[Case, Agent],
) -> None:
    at_once = asked(agents, agent=agents[CLEAN[0]].name, probe_timeout_seconds=0)

    (probed,) = run.probe_containers(engine.connect(SOCKET), at_once, {})

    assert [fault.step for fault in probed.faults] == ["slow"]


def test_the_probe_leaves_nothing_behind(
    seen: Mapping[Case, Seen], agents: Mapping[Case, Agent]
) -> None:
    left = [
        str(path)
        for agent in agents.values()
        for path in agent.directory.rglob("*agentkeep-probe*")
    ]

    assert seen
    assert left == []


class AsRoot(process.Process):
    """A process that is taken to run as root, as a careless probe would."""

    def runs_as(self) -> process.RunsAs:
        """Return root with every capability."""
        return process.RunsAs(uid=0, gid=0, capabilities=2**40 - 1)


@pytest.mark.parametrize("kind", [process.Process, AsRoot])
def test_a_probe_as_root_would_not_have_seen_it(
    agents: Mapping[Case, Agent], kind: type[process.Process]
) -> None:
    """A11: root writes to what is root's; the container's own user does not."""
    case = next(case for case in FAULTS if case.name == "projects of root, 0755")
    name = container_of(agents[case])
    container = docker("inspect", "--format={{.Id}}", name)
    opened = kind.opened(name, container, main_process(agents[case]))
    tried = task.Task(transcripts=task.Place("memory", MEMORY, (".claude", "projects")))
    writing = attempt.Writing(".agentkeep-probe-of-the-test", b"x" * 4096)

    child = inside.begin(opened, lambda own: look.Look(tried, writing, own).answer())
    answer = child.answer(time.monotonic() + 30)
    opened.close()

    assert answer is not None
    assert bool(answer["faults"]) is (kind is process.Process)


@pytest.fixture(scope="module")
def said(agents: Mapping[Case, Agent], tmp_path_factory: Any) -> list[dict[str, Any]]:
    """What the module says when Ansible runs it: all, one clean agent, and a report."""
    directory: Path = tmp_path_factory.mktemp("play")
    clean = agents[CLEAN[0]].name
    each = [{}, {"agent": clean}, {"faults": "report"}]
    tasks = [{"agentkeep.agents.agent_probe": options(agents, **one)} for one in each]
    return play_tasks(tasks, directory, check=True)


def test_the_module_fails_with_every_fault(said: list[dict[str, Any]]) -> None:
    message = said[0]["msg"]

    assert said[0]["failed"] is True
    assert f'Cannot rely on the state of deployment "{NAME}"' in message
    assert 'agent "case-0"' not in message
    assert (
        'entry "memory": uid 20206 cannot create a file in "/data/memory/.claude/p'
        in message
    )
    assert "it belongs to 0:0, mode 0755" in message


def test_the_module_accepts_an_agent_that_keeps_its_state(
    said: list[dict[str, Any]],
) -> None:
    """K13: the probe is the same in check mode."""
    (told,) = said[1]["agent_probe"]["inside"]

    assert said[1]["changed"] is False
    assert told["uid"] == FIRST_UID
    assert told["written"] == [MEMORY, "/data/skill-data"]
    assert told["transcripts"] == {"projects": 1, "found": 1, "tried": 1}


def test_the_module_reports_faults_on_request(said: list[dict[str, Any]]) -> None:
    told = said[2]["agent_probe"]["inside"]

    assert len(told) == len(CASES)
    # Without a url it is not known that a transcript is missing.
    assert sum(1 for one in told if one["faults"]) == len(FAULTS) - 1
