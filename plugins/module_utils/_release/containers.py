# Copyright: (c) 2026, The Agentkeep authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Containers stopped, made, started and awaited, in order."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Callable, Iterable, Sequence

from .._containers.observed import Observed
from .._deploy.launch import Launch, in_batches, in_waves
from .._engine.compose_command import ComposeCommand
from .._engine.engine import Engine, Inspected
from .._errors import DeploymentFailed

AT_ONCE = 8
PAUSE_SECONDS = 0.2
STEADY_SECONDS = 1.0
MOST_RESTARTS = 3
LONGEST_CHECK = 300
HOPELESS = "it "
DEFAULT_GRACE_SECONDS = 10


class Containers:
    """Carry out what was decided about containers."""

    def __init__(
        self,
        engine: Engine,
        compose: ComposeCommand,
        health_wait_seconds: float,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._engine = engine
        self._compose = compose
        self._wait_seconds = health_wait_seconds
        self._clock = clock
        self._sleep = sleep

    def stop(self, containers: Sequence[Observed]) -> None:
        """Stop them at once; each may take its own time to end its work (K14)."""
        alive = [
            one
            for one in containers
            if one.state not in ("exited", "created", "dead", "removing")
        ]
        if not alive:
            return
        with ThreadPoolExecutor(max_workers=min(AT_ONCE, len(alive))) as pool:
            list(pool.map(self._stop, alive))

    def launch(self, launches: Iterable[Launch]) -> None:
        """Make containers anew, wave by wave, and wait until each wave is healthy."""
        for wave in in_waves(launches):
            for batch in in_batches(wave):
                secrets = {n: v for one in batch for n, v in one.secrets.items()}
                command = ComposeCommand(
                    self._compose.socket_path,
                    self._compose.project,
                    self._compose.file,
                    secrets,
                )
                command.up([one.service for one in batch], start=batch[0].start)
            self.wait([one.container for one in wave if one.start])

    def start(self, containers: Iterable[Observed]) -> None:
        """Start containers that are right but stopped."""
        for one in containers:
            if one.state == "paused":
                self._engine.unpause(one.id)
            else:
                self._engine.start(one.id)

    def remove(self, containers: Iterable[Observed]) -> None:
        """Remove containers."""
        for one in containers:
            self._engine.remove(one.id)

    def wait(self, names: Iterable[str]) -> None:
        """Return when all run and are healthy; raise DeploymentFailed (J15)."""
        left = dict.fromkeys(names, "")
        since: dict[str, float] = {}
        end = self._clock() + self._wait_seconds
        while left:
            for name in list(left):
                found = self._engine.inspect(name)
                left[name] = _complaint(found)
                if left[name]:
                    since.pop(name, None)
                    if left[name].startswith(HOPELESS):
                        raise _failed({name: left[name]})
                elif self._is_steady(found, since.setdefault(name, self._clock())):
                    del left[name]
            if left and self._clock() >= end:
                raise _failed(left, self._wait_seconds)
            if left:
                self._sleep(PAUSE_SECONDS)

    def _is_steady(self, found: Inspected | None, since: float) -> bool:
        has_health = bool(found and found["State"].get("Health"))
        return has_health or self._clock() - since >= STEADY_SECONDS

    def _stop(self, one: Observed) -> None:
        grace = one.stop_grace_seconds
        self._engine.stop(one.id, DEFAULT_GRACE_SECONDS if grace is None else grace)


def _complaint(found: Inspected | None) -> str:
    """Return why a container is not there yet, or nothing if it is."""
    if found is None:
        return "it is gone"
    state = found["State"]
    if state["Status"] in ("exited", "dead"):
        return f"it ended with status {state.get('ExitCode')}"
    if (found.get("RestartCount") or 0) >= MOST_RESTARTS:
        return f"it ended again and again, with status {state.get('ExitCode')}"
    if state["Status"] != "running":
        return str(state["Status"])
    health = (state.get("Health") or {}).get("Status")
    if health == "unhealthy":
        return "it is unhealthy: " + _last_check(state)
    return "" if health in (None, "none", "healthy") else str(health)


def _last_check(state: Inspected) -> str:
    """Return what the last health check said, in one line."""
    checks = state["Health"].get("Log") or [{}]
    said = " ".join(str(checks[-1].get("Output") or "").split())
    return said[-LONGEST_CHECK:] or "its check fails and says nothing"


def _failed(left: dict[str, str], waited: float | None = None) -> DeploymentFailed:
    why = "; ".join(f"{name}: {text or 'not steady'}" for name, text in left.items())
    after = f" after {waited:g} seconds" if waited else ""
    return DeploymentFailed(
        "Cannot bring up " + ", ".join(sorted(left)),
        f"{why}{after}",
        "Look at its last logs; set health_wait_seconds if it only takes longer.",
    )
