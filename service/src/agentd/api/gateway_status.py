# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""What the gateway tells of the model: asked on its own socket, then remembered."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, cast, get_args

from agentd.api.gateway_socket import Question, ask
from agentd.clock import Clock
from agentd.log import get_log
from agentd.spawner.calls import printable

TIMEOUT_SECONDS = 2.0
REMEMBER_SECONDS = 5.0
MAX_BYTES = 4_000_000
MAX_FAULTS = 10

ModelState = Literal["ok", "signed_out", "rate_limited", "overloaded", "over_budget"]
TOKEN_KINDS = {
    "input": "input_tokens",
    "output": "output_tokens",
    "cache_write": "cache_creation_input_tokens",
    "cache_read": "cache_read_input_tokens",
}

log = get_log("gateway_status")


@dataclass(frozen=True)
class ModelView:
    """How one agent stands with the model, and what it has used."""

    state: ModelState | Literal["unknown"]
    since: float | None = None
    retry_after: float | None = None
    reason: str | None = None
    sign_in: str | None = None
    running: int = 0
    numbers: Mapping[str, float] = field(default_factory=dict)
    budget: Mapping[str, float | str | None] | None = None


@dataclass(frozen=True)
class GatewayView:
    """What the gateway told last; without an answer, why not."""

    asked: bool
    reachable: bool = False
    error: str | None = None
    upstream: str | None = None
    faults: tuple[str, ...] = ()
    agents: Mapping[str, ModelView] = field(default_factory=dict)

    @property
    def degraded(self) -> bool:
        """Return whether anything that was asked for is not as it should be."""
        return self.asked and (
            not self.reachable
            or bool(self.faults)
            or any(one.state != "ok" for one in self.agents.values())
        )


class GatewayStatus:
    """The gateway's own words, at most some seconds old."""

    def __init__(self, path: str | None, clock: Clock) -> None:
        self._path = path
        self._clock = clock
        self._asking = asyncio.Lock()
        self._known = GatewayView(asked=path is not None)
        self._until = float("-inf")

    async def view(self) -> GatewayView:
        """Return what the gateway says; never raise, and take a bounded time."""
        if self._path is None:
            return self._known
        async with self._asking:
            if self._clock.monotonic() >= self._until:
                self._known = await self._ask(self._path)
                self._until = self._clock.monotonic() + REMEMBER_SECONDS
            return self._known

    async def _ask(self, path: str) -> GatewayView:
        try:
            async with asyncio.timeout(TIMEOUT_SECONDS):
                return read_view(await _get(path))
        except (OSError, ValueError, RecursionError) as error:
            why = str(error) or "it did not answer in time"
            text = (
                f'Cannot ask the gateway at "{path}": {why}. Look at its container; '
                "turns go on without these figures."
            )
            if self._known.error is None:
                log.warning("gateway_not_asked", error=text)
            return GatewayView(asked=True, error=text)


async def _get(path: str) -> bytes:
    answer = await ask(path, Question("GET", "/status"), MAX_BYTES)
    if answer.status != 200:
        raise ValueError(f"it answered {answer.shown}")
    return answer.body


def read_view(body: bytes) -> GatewayView:
    """Return what a status document says; raise ValueError if it is none."""
    found = json.loads(body)
    if not isinstance(found, dict) or not isinstance(found.get("agents"), dict):
        raise ValueError("its answer is no status document")
    faults = found.get("faults")
    return GatewayView(
        asked=True,
        reachable=True,
        upstream=_text(found.get("upstream")),
        faults=tuple(printable(one) for one in faults[:MAX_FAULTS])
        if isinstance(faults, list)
        else (),
        agents={
            str(name): _model(one)
            for name, one in found["agents"].items()
            if isinstance(one, dict)
        },
    )


def _model(found: Mapping[str, object]) -> ModelView:
    state, usage, budget = (found.get(key) for key in ("state", "usage", "budget"))
    return ModelView(
        state=cast(ModelState, state) if state in get_args(ModelState) else "unknown",
        since=_number(found.get("since")),
        retry_after=_number(found.get("retry_after")),
        reason=_text(found.get("reason")),
        sign_in=_text(found.get("sign_in")),
        running=round(_number(found.get("running")) or 0),
        numbers=_numbers(usage) if isinstance(usage, dict) else {},
        budget=_budget(budget) if isinstance(budget, dict) else None,
    )


def _budget(found: Mapping[str, object]) -> dict[str, float | str | None]:
    numbers = ("resets_at", "usd", "usd_left", "tokens", "tokens_left")
    return {
        "period": _text(found.get("period")),
        **{name: _number(found.get(name)) for name in numbers},
    }


def _numbers(found: Mapping[str, object]) -> dict[str, float]:
    read = {name: _number(value) for name, value in found.items()}
    return {name: value for name, value in read.items() if value is not None}


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    # A number that no float holds, or none at all, would break every page.
    return float(value) if abs(value) < 1e300 else None


def _text(value: object) -> str | None:
    return printable(value) if isinstance(value, str) and value else None
