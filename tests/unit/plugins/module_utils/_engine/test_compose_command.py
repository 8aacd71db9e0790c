# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""docker compose is run with nothing but its file and its secrets."""

from __future__ import annotations

import sys

import pytest
from ansible_collections.agentkeep.agents.plugins.module_utils._engine.compose_command import (  # noqa: E501
    ComposeCommand,
    run_captured,
)
from ansible_collections.agentkeep.agents.plugins.module_utils._errors import (
    EngineFailed,
)

COMMAND = ComposeCommand(
    socket_path="/var/run/docker.sock",
    project="agentkeep-demo",
    file="/srv/demo/compose.yml",
    secrets={"API_TOKEN": "canary", "LONGER": "canary-and-more"},
)


def test_the_file_the_project_and_no_environment_file_are_spelled_out() -> None:
    """D03: neither the folder nor the caller's environment names anything."""
    words = COMMAND.arguments("up")

    assert words[-1] == "up"
    assert words[words.index("--file") :][:2] == ["--file", "/srv/demo/compose.yml"]
    assert words[words.index("--project-name") + 1] == "agentkeep-demo"
    assert words[words.index("--env-file") + 1] == "/dev/null"
    assert not any("canary" in word for word in words)


def test_nothing_of_the_callers_environment_reaches_compose_but_the_path() -> None:
    own = {
        "PATH": "/bin",
        "COMPOSE_FILE": "other.yml",
        "DOCKER_HOST": "tcp://other",
        "API_TOKEN": "the caller's",
    }

    assert COMMAND.environment(own) == {
        "PATH": "/bin",
        "HOME": "/root",
        "API_TOKEN": "canary",
        "LONGER": "canary-and-more",
    }


def test_what_compose_says_is_shown_without_the_secrets() -> None:
    """D10: the longer secret is masked whole, not only the part that is another."""
    assert COMMAND.masked("bad canary-and-more, bad canary\n") == "bad •••, bad •••"
    assert "canary" not in repr(COMMAND)


def test_a_command_that_is_not_there_is_an_error_with_its_remedy() -> None:
    with pytest.raises(EngineFailed, match=r"role agentkeep\.agents\.host"):
        run_captured(["/no/such/docker"], {})


def test_a_command_returns_its_status_and_both_of_its_outputs() -> None:
    program = "import sys; print('out'); print('err', file=sys.stderr); sys.exit(3)"

    status, said = run_captured([sys.executable, "-c", program], {})

    assert status == 3
    assert set(said.split()) == {"out", "err"}
