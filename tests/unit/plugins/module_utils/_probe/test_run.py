# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""The probe of all containers, with an engine of the test."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from ansible_collections.agentkeep.agents.plugins.module_utils._files.host_paths import (  # noqa: E501
    HostPaths,
)
from ansible_collections.agentkeep.agents.plugins.module_utils._probe import (
    options,
    run,
)
from ansible_collections.agentkeep.agents.plugins.modules import agent_probe

SERVICES = {"agent": {"image": "i", "config_directory": "/data/memory/.claude"}}


@dataclass(frozen=True)
class One:
    """A container as the engine lists it."""

    id: str
    name: str
    labels: Mapping[str, str]


@dataclass
class Engine:
    """An engine that knows a state for each agent, and one after another at that."""

    states: Mapping[str, list[dict[str, Any]]]
    asked: list[str] = field(default_factory=list)

    def containers(self) -> Sequence[One]:
        """Return a container for each agent."""
        labels = {"agentkeep.deployment": "demo"}
        return [
            One(
                name,
                f"agentkeep-demo-agent-{name}",
                {**labels, "agentkeep.agent": name},
            )
            for name in self.states
        ]

    def inspect(self, container: str) -> Mapping[str, Any]:
        """Return its next state, the last one again and again."""
        self.asked.append(container)
        states = self.states[container]
        state = states.pop(0) if len(states) > 1 else states[0]
        return {"Id": container, "State": state, "Mounts": []}


def asked(params: dict[str, Any], **change: Any) -> options.Inside:
    """Return the probe of the deployment of the fixture."""
    spec = agent_probe.SPEC.to_kwargs()["argument_spec"]
    defaults = {name: option.get("default") for name, option in spec.items()}
    given = {"inside": True, "services": SERVICES, "wait_seconds": 0, **change}
    found = options.Inside.from_params(
        {
            **defaults,
            **{name: params[name] for name in params if name in spec},
            **given,
        },
        HostPaths(),
    )
    assert found is not None
    return found


def running(pid: int, **more: Any) -> dict[str, Any]:
    """Return the state of a container with that main process."""
    return {"Status": "running", "Pid": pid, **more}


def messages(probed: Sequence[Any]) -> dict[str, list[str]]:
    """Return what is wrong, by agent."""
    return {one.container.agent: [fault.text for fault in one.faults] for one in probed}


def test_one_container_that_cannot_be_probed_hides_no_other(
    params: dict[str, Any],
) -> None:
    with subprocess.Popen(["true"]) as ended:
        ended.wait()
    engine = Engine(
        {"main": [running(ended.pid)], "mail": [{"Status": "exited", "Pid": 0}]}
    )

    said = messages(run.probe_containers(engine, asked(params), {}))

    assert "could not be probed (its main process ended" in said["main"][0]
    assert said["mail"] == ['agent "mail": "agentkeep-demo-agent-mail" does not run']


def test_a_process_that_is_not_the_containers_is_not_entered(
    params: dict[str, Any],
) -> None:
    engine = Engine({"main": [running(os.getpid())], "mail": [running(os.getpid())]})

    said = messages(run.probe_containers(engine, asked(params), {}))

    assert "belongs to something else now" in said["main"][0]


def test_a_container_that_starts_is_waited_for(params: dict[str, Any]) -> None:
    """J15."""
    starting = running(1, Health={"Status": "starting"})
    engine = Engine(
        {"main": [starting, {"Status": "exited"}], "mail": [{"Status": "exited"}]}
    )

    probed = run.probe_containers(engine, asked(params, wait_seconds=0.3), {})

    assert engine.asked.count("main") > 1
    assert [one.running.status for one in probed] == ["exited", "exited"]


@pytest.mark.parametrize("lazy", [True, False])
def test_a_lazy_agent_need_not_run(params: dict[str, Any], lazy: bool) -> None:
    """K11."""
    params["agents"][1]["lazy"] = lazy
    engine = Engine({"mail": [{"Status": "created", "Pid": 0}]})

    said = messages(run.probe_containers(engine, asked(params, agent="mail"), {}))

    assert bool(said["mail"]) is not lazy


def test_a_container_of_another_program_need_not_run(params: dict[str, Any]) -> None:
    service = {"config_directory": "/data/memory/.claude", "find": {"name": "other-*"}}
    params.update(managed=False)

    found = asked(params, agent="mail", services={"agent": service})
    probed = run.probe_containers(Engine({}), found, {})

    assert messages(probed) == {"mail": []}


def test_a_container_that_is_not_there_does_not_run(params: dict[str, Any]) -> None:
    probed = run.probe_containers(Engine({}), asked(params, agent="main"), {})

    assert [one.for_output()["state"] for one in probed] == ["missing"]
    assert messages(probed)["main"][0].endswith("does not run")
