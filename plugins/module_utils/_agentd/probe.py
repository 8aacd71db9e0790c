# Copyright: (c) 2026, The Agentkeep authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a probe asks of the agent service, and how its answers are judged."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Mapping, Sequence

from .._argument_spec import ArgumentSpec
from .._errors import InvalidInput, ServiceRefused, TurnFailed
from .._plan import NOTHING, Plan

THROW_AWAY_MESSAGE = "Answer with one short sentence."
TURN_KEYS = ("conversation_id", "session_id", "result", "persisted", "duration_ms")


def probe_spec() -> ArgumentSpec:
    """Return the options that say what is asked of the service."""
    return ArgumentSpec(
        options={
            "agent": {"type": "str"},
            "wait_seconds": {"type": "int", "default": 45},
            "turn": {"type": "bool", "default": False},
            "chat_message": {"type": "str"},
            "conversation_id": {"type": "str"},
            "expect": {"type": "str"},
        },
        required_by={"conversation_id": ("chat_message",)},
    )


@dataclass(frozen=True)
class Probe:
    """Hold what is asked: which agent must be there, and what is said to it."""

    agent: str | None
    wait_seconds: float
    turn: bool = False
    message: str | None = None
    conversation_id: str | None = None
    expect: str | None = None
    lazy: tuple[str, ...] = ()

    @classmethod
    def from_params(cls, params: Mapping[str, Any]) -> Probe:
        """Given the options, return the probe; raise InvalidInput."""
        probe = cls(
            agent=params["agent"],
            wait_seconds=params["wait_seconds"],
            turn=params["turn"],
            message=params["chat_message"],
            conversation_id=params["conversation_id"],
            expect=params["expect"],
            lazy=tuple(
                str(one["name"])
                for one in params.get("agents") or ()
                if one.get("lazy")
            ),
        )
        _check(probe, reaches=params["url"] is not None, inside=params["inside"])
        return probe

    @property
    def speaks(self) -> bool:
        """Return whether a turn is taken."""
        return self.turn or self.message is not None

    def each(self, agents: Sequence[Mapping[str, Any]]) -> tuple[Probe, ...]:
        """Return the probe once, or for each agent if a turn is to be thrown away."""
        if self.agent is not None or not self.turn or not agents:
            return (self,)
        return tuple(
            replace(self, agent=str(one.get("name")))
            for one in agents
            if not self.may_be_away(one)
        )

    def may_be_away(self, one: Mapping[str, Any]) -> bool:
        """Return whether nobody has started an agent yet that waits to be needed."""
        return one.get("name") in self.lazy and not one.get("connected")

    def body(self) -> dict[str, Any]:
        """Return the request of the turn."""
        body: dict[str, Any] = {"message": self.message or THROW_AWAY_MESSAGE}
        if self.agent is not None:
            body["agent"] = self.agent
        if self.conversation_id is not None:
            body["conversation_id"] = self.conversation_id
        return body


def _check(probe: Probe, *, reaches: bool, inside: bool) -> None:
    if not reaches and not inside:
        raise InvalidInput(
            "Cannot probe anything",
            "neither url nor inside is set",
            "Set url to where control listens, or inside to true.",
        )
    if probe.message is not None and not probe.message.strip():
        raise InvalidInput("Cannot say chat_message", "it is empty", "Say something.")
    if probe.turn and probe.message is not None:
        raise InvalidInput(
            "Cannot take a turn",
            "both turn and chat_message are set",
            "Set turn for one that is thrown away, or chat_message for one that is "
            "kept.",
        )
    if probe.speaks and not reaches:
        raise InvalidInput(
            "Cannot take a turn",
            "url is not set",
            "Set url to where control listens, such as http://127.0.0.1:8700.",
        )
    if probe.expect is not None and not probe.speaks:
        raise InvalidInput(
            f'Cannot expect "{probe.expect}"',
            "nothing is said to the agent",
            "Set chat_message, or set turn to true.",
        )


@dataclass(frozen=True)
class Service:
    """Hold the service's health and its agents, once it is ready."""

    health: Mapping[str, Any] = field(default_factory=dict)
    agents: Sequence[Mapping[str, Any]] = ()
    inside: Sequence[Mapping[str, Any]] = ()
    warnings: Sequence[str] = ()

    def for_output(self, turn: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Return what the module returns."""
        return {
            "health": dict(self.health),
            "agents": [dict(agent) for agent in self.agents],
            "turn": None if turn is None else dict(turn),
            "inside": [dict(container) for container in self.inside],
            "warnings": list(self.warnings),
        }


def waiting_for(service: Service, probe: Probe) -> str | None:
    """Given the service, return what is not ready yet, or None if all is."""
    agent = probe.agent
    names = [str(one.get("name")) for one in service.agents]
    if agent is not None and agent not in names:
        raise ServiceRefused(
            f'Cannot probe agent "{agent}"',
            f"the service knows only {', '.join(names) or 'no agent'}",
            "Set agent to one of them, or declare it and deploy again.",
        )
    for one in service.agents:
        if agent == one.get("name") or (agent is None and not probe.may_be_away(one)):
            if not one.get("connected"):
                return f'agent "{one.get("name")}" is not connected'
            if not one.get("ok"):
                errors = "; ".join(str(error) for error in one.get("errors") or ())
                return f'agent "{one.get("name")}" cannot write its state ({errors})'
    return None


def plan_probe(service: Service | None, probe: Probe) -> Plan:
    """Given the service and the probe, return the turn to take, if any."""
    return Plan(
        action="speak" if probe.speaks else NOTHING,
        changed=probe.message is not None,
        after={"chat_message": probe.message} if probe.message is not None else {},
        output=(service or Service()).for_output(),
    )


def judged_turn(body: Any, probe: Probe) -> dict[str, Any]:
    """Given the answer to a turn, return what matters; raise TurnFailed."""
    answer = body if isinstance(body, Mapping) else {}
    whom = f'agent "{answer.get("agent") or probe.agent or "main"}"'
    status, result = answer.get("status"), str(answer.get("result") or "")
    if status != "success":
        raise TurnFailed(
            f"Cannot finish a turn with {whom}",
            f"it ended with status {status!r}: {answer.get('error')}",
            "Look at the logs of control, of the gateway and of the agent.",
        )
    if answer.get("persisted") is not True:
        raise TurnFailed(
            f"Cannot rely on the turn with {whom}",
            "it was answered, but its transcript is not on disk",
            "Check that the agent's memory can be written and has room.",
        )
    if probe.expect is not None and probe.expect not in result:
        raise TurnFailed(
            f"Cannot accept the answer of {whom}",
            f'"{probe.expect}" was expected and the answer is "{result}"',
            "Check that the conversation is the right one and was resumed.",
        )
    return {key: answer.get(key) for key in TURN_KEYS}
