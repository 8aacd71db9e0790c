# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""The command line: builds, wires and runs one component.

Each command imports what it needs when it is called: the agent side and the
health check use the standard library only and stay small and quick.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from agentd.errors import AgentdError

SETTINGS_VARIABLE = "AGENTD_SETTINGS"
SETTINGS_DEFAULT = "/etc/agentd/settings.json"
USAGE = "usage: agentd serve | gateway | agent | health"


def serve(path: Path) -> int:
    """Run control until it is told to stop; return the exit status."""
    from agentd.serve import main
    from agentd.settings import load_control_settings

    return main(load_control_settings(path))


def gateway(path: Path) -> int:
    """Run the model gateway until it is told to stop; return the exit status."""
    from agentd.gateway.run import main
    from agentd.settings import load_gateway_settings

    return main(load_gateway_settings(path))


def agent(path: Path) -> int:
    """Run the agent side until it is told to stop; return the exit status."""
    from agentd.agent.run import main
    from agentd.agent.settings import load_agent_settings

    return main(load_agent_settings(path))


def health(path: Path) -> int:
    """Return 0 if the component that the settings name is healthy, else 1."""
    from agentd.health import main

    return main(path)


COMMANDS = {"serve": serve, "gateway": gateway, "agent": agent, "health": health}


def main(arguments: Sequence[str], settings_path: str) -> int:
    """Run the named command with the given settings file; return the exit status."""
    if len(arguments) != 1 or arguments[0] not in COMMANDS:
        print(USAGE, file=sys.stderr)
        return 2
    try:
        return COMMANDS[arguments[0]](Path(settings_path))
    except AgentdError as error:
        print(f"agentd {arguments[0]}: {error}", file=sys.stderr)
    except ExceptionGroup as group:
        # Whoever fails inside a task group arrives wrapped; what is not ours is a
        # fault of the program and keeps its traceback.
        ours, others = group.split(AgentdError)
        if ours is None or others is not None:
            raise
        print(f"agentd {arguments[0]}: {_first(ours)}", file=sys.stderr)
    return 1


def _first(group: ExceptionGroup[AgentdError]) -> AgentdError:
    error = group.exceptions[0]
    return _first(error) if isinstance(error, ExceptionGroup) else error


def run() -> None:
    """Run the command of this process and exit with its status."""
    path = os.environ.get(SETTINGS_VARIABLE, SETTINGS_DEFAULT)
    sys.exit(main(sys.argv[1:], path))


if __name__ == "__main__":
    run()
