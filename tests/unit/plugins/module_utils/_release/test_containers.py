# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Containers are awaited until they are well, and no longer than that."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest
from ansible_collections.agentkeep.agents.plugins.module_utils._engine.compose_command import (  # noqa: E501
    ComposeCommand,
)
from ansible_collections.agentkeep.agents.plugins.module_utils._engine.engine import (
    Engine,
)
from ansible_collections.agentkeep.agents.plugins.module_utils._errors import (
    DeploymentFailed,
)
from ansible_collections.agentkeep.agents.plugins.module_utils._release.containers import (  # noqa: E501
    Containers,
)
from ansible_collections.agentkeep.agents.plugins.module_utils._release.logs import (
    masked,
)

COMPOSE = ComposeCommand("/run/docker.sock", "agentkeep-demo", "/srv/compose.yml")


def state(status: str = "running", health: str | None = None, **more: Any) -> Any:
    """Return what an engine says of a container."""
    found: dict[str, Any] = {"Status": status, **more}
    if health:
        found["Health"] = {"Status": health, "Log": [{"Output": "it\nsaid so"}]}
    return {"State": found, "RestartCount": more.get("restarts", 0)}


@dataclass
class Telling(Engine):
    """An engine that tells one state after the other, the last one for ever."""

    states: list[Any]
    asked: int = field(default=0)

    def inspect(self, _container: str) -> Any:
        self.asked += 1
        return self.states.pop(0) if len(self.states) > 1 else self.states[0]


@dataclass
class Clock:
    """A clock that only sleeping moves."""

    now: float = 0.0

    def time(self) -> float:
        """Return the time."""
        return self.now

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        self.now += seconds


def waited(*states: Any, seconds: float = 5) -> float:
    """Wait for one container that passes through the states; return for how long."""
    clock = Clock()
    engine = Telling(list(states))
    Containers(engine, COMPOSE, seconds, clock.time, clock.sleep).wait(["one"])
    return clock.now


def test_a_container_is_awaited_until_it_is_healthy() -> None:
    """J15: and not a moment longer."""
    starting = state(health="starting")

    assert waited(starting, starting, state(health="healthy")) == pytest.approx(0.4)


def test_a_container_without_a_check_must_run_for_a_moment() -> None:
    """K15: one that ends at once was never up."""
    assert waited(state()) >= 1.0


@pytest.mark.parametrize(
    ("last", "words"),
    [
        (state("exited", ExitCode=3), "ended with status 3"),
        (state("restarting", ExitCode=4, restarts=3), "again and again"),
        (state(health="unhealthy"), "unhealthy: it said so"),
        (None, "it is gone"),
    ],
)
def test_a_container_that_has_failed_is_not_awaited_any_longer(
    last: Any, words: str
) -> None:
    """K15: the way back begins at once."""
    with pytest.raises(DeploymentFailed, match=words):
        waited(state(health="starting"), last, seconds=10**6)


def test_the_wait_ends_and_names_what_was_not_there() -> None:
    """J15: after the time that was set."""
    with pytest.raises(DeploymentFailed, match="one: starting after 5 seconds"):
        waited(state(health="starting"))


def test_logs_are_shown_without_secrets_colours_and_control_characters() -> None:
    """D10: the longest secret first, so that no part of it is left."""
    text = "\x1b[31mtoken\x1b[0m secret-and-more\x07 secret\n"

    assert masked(text, ["secret", "secret-and-more", "a"]) == "token ••• •••\n"
