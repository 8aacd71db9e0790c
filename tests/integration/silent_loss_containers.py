# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""The containers in which something is lost: of the agents' image, doing nothing."""

from __future__ import annotations

import subprocess

from running import docker
from silent_loss_deeds import MEMORY, Agent
from silent_loss_table import Case

IMAGE = "agentkeep/agentd:0.1.0"
NAME = "silent-loss"


def container_of(agent: Agent) -> str:
    """Return the name of the agent's container."""
    return f"agentkeep-{NAME}-agent-{agent.name}"


def start(case: Case, agent: Agent) -> None:
    """Lay the agent out, do what the case wants, and start its container."""
    agent.lay_out()
    case.before(agent)
    binds = [f"--volume={agent.directory / 'skill-data'}:/data/skill-data"]
    if case.memory:
        binds.append(f"--volume={agent.memory}:{MEMORY}:{case.memory}")
    docker(
        *("run", "--detach", "--init", "--network=none", "--read-only"),
        *("--cap-drop=ALL", "--security-opt=no-new-privileges"),
        *(["--tmpfs=/tmp:mode=1777,size=16m"] if case.temporary else []),
        *(f"--name={container_of(agent)}", f"--user={agent.uid}:{agent.uid}"),
        *(f"--label=agentkeep.deployment={NAME}", "--entrypoint=sleep"),
        f"--label=agentkeep.agent={agent.name}",
        *(*binds, *case.arguments(agent), IMAGE, "infinity"),
    )
    case.after(agent, main_process(agent))


def main_process(agent: Agent) -> int:
    """Return the process id of the agent's container."""
    return int(docker("inspect", "--format={{.State.Pid}}", container_of(agent)))


def undo(*command: str) -> None:
    """Undo what a case may have done."""
    subprocess.run(command, check=False, capture_output=True)
