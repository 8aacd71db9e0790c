# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""The collection's client and the service's API, met over HTTP with the real CLI."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
import yaml
from ansible_collections.agentkeep.agents.plugins.module_utils._agentd import (
    client as client_module,
)
from ansible_collections.agentkeep.agents.plugins.module_utils._agentd.client import (
    is_still_kept,
    sessions,
    stored_sessions,
)
from ansible_collections.agentkeep.agents.plugins.module_utils._agentd.probe import (
    TURN_KEYS,
)
from ansible_collections.agentkeep.agents.plugins.module_utils._client import (
    Client,
    Connection,
)
from ansible_collections.agentkeep.agents.plugins.module_utils._errors import (
    ServiceRefused,
    TurnFailed,
)
from ansible_collections.agentkeep.agents.plugins.module_utils._sweep.reset import (
    Issue,
)
from ansible_collections.agentkeep.agents.plugins.module_utils._sweep.values import (
    COUNTS,
)
from ansible_collections.agentkeep.agents.plugins.modules import (
    agent_probe,
    session_reset,
    state_sweep,
)
from local_stack import AGENT, LocalStack

from agentd.api.bodies import AnswerBody
from agentd.api.health_bodies import AgentBody, HealthBody
from agentd.api.sweep import CandidateBody, CountsBody

TOKEN = "a-token-that-is-long-enough"


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """Return where a control with one connected agent listens."""
    with TemporaryDirectory(prefix="ak-", dir="/tmp") as scratch:
        stack = LocalStack(Path(scratch))
        with stack.running:
            sockets = stack.sockets("whole")
            found = stack.control(sockets, api_token=TOKEN)
            stack.agent_side(sockets, stack.gateway(sockets))
            yield found


def connected(address: str) -> Client:
    """Return the modules' client of the service."""
    given = {"url": address, "api_token": TOKEN, "api_token_file": None}
    ways = {"validate_certs": True, "use_proxy": False, "timeout_seconds": 10}
    return Client(Connection.from_params({**given, **ways}))


def probe(address: str, **options: Any) -> dict[str, Any]:
    """Return what the module's own steps make of the service."""
    defaults = {
        name: option.get("default")
        for name, option in agent_probe.SPEC.to_kwargs()["argument_spec"].items()
    }
    given = {**defaults, "url": address, "api_token": TOKEN, **options}
    asked = agent_probe.wanted(given)
    plan = agent_probe.plan(agent_probe.read(asked), asked)
    done = agent_probe.apply(plan, asked) if asked.probe.speaks else plan
    return dict(done.output)


def test_the_probe_understands_health_and_agents(address: str) -> None:
    found = probe(address)

    assert HealthBody.model_validate(found["health"]).status == "ok"
    assert [AgentBody.model_validate(one).name for one in found["agents"]] == [AGENT]
    assert found["turn"] is None


def test_the_probe_continues_a_conversation_that_it_began(address: str) -> None:
    said = probe(address, chat_message="Remember the word mango.")["turn"]

    asked = probe(
        address,
        conversation_id=said["conversation_id"],
        chat_message="Which words did I ask you to remember?",
        expect="mango",
    )["turn"]

    assert asked["session_id"] == said["session_id"]
    assert asked["persisted"] is True


def test_the_probe_leaves_nothing_of_a_turn_that_is_thrown_away(address: str) -> None:
    before = probe(address)["health"]["database"]["conversations"]

    turn = probe(address, turn=True)["turn"]

    assert turn["persisted"] is True
    assert probe(address)["health"]["database"]["conversations"] == before


def test_the_probe_knows_the_session_that_every_conversation_goes_on_in(
    address: str,
) -> None:
    """A deleted conversation needs none."""
    said = probe(address, chat_message="Remember the word mango.")["turn"]
    client = connected(address)
    path = f"/chat/{said['conversation_id']}"
    ids = (said["conversation_id"], said["session_id"])

    assert sessions(client)[AGENT][ids[1]] == ids[0]
    assert is_still_kept(client, *ids)
    client.delete(path)
    assert not is_still_kept(client, *ids)
    assert ids[1] not in sessions(client).get(AGENT, {})


def test_session_info_knows_the_id_that_every_conversation_relies_on(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """G21: in pages of one, as of a service with more than a page holds."""
    said = [
        probe(address, chat_message="Remember the word fig.")["turn"]
        for _unused in "ab"
    ]
    monkeypatch.setattr(client_module, "PAGE", 1)

    kept = stored_sessions(connected(address), AGENT).stored

    known = {one.session: (one.conversation, one.durable) for one in kept}
    for turn in said:
        assert known[turn["session_id"]] == (turn["conversation_id"], True)
    assert stored_sessions(connected(address), "nobody").stored == ()


def test_the_probe_says_the_answer_that_it_did_not_expect(address: str) -> None:
    with pytest.raises(TurnFailed, match="papaya"):
        probe(address, chat_message="Remember the word mango.", expect="papaya")


def test_the_probe_names_the_option_when_the_token_is_wrong(address: str) -> None:
    with pytest.raises(ServiceRefused, match="Set api_token"):
        probe(address, api_token="a-token-that-is-another")


def test_everything_that_the_probe_returns_is_a_field_of_the_answer() -> None:
    documented = yaml.safe_load(agent_probe.RETURN)["agent_probe"]["contains"]

    assert set(TURN_KEYS) <= set(AnswerBody.model_fields)
    assert set(documented["turn"]["contains"]) == set(TURN_KEYS)


def test_a_sweep_by_the_module_is_one_of_the_service(address: str) -> None:
    """I08: in check mode only the first half of it is run."""
    asked = state_sweep.Wanted(connected(address), wait_seconds=5)

    would = state_sweep.read(asked)
    done = state_sweep.apply(state_sweep.plan(would, asked), asked)

    listed = connected(address).get("/sweeps?limit=2", 10).body["sweeps"]
    assert [one["dry_run"] for one in listed] == [False, True]
    assert done.output["counts"] == listed[0]["counts"]
    assert set(COUNTS) == set(CountsBody.model_fields)
    told = yaml.safe_load(state_sweep.RETURN)["state_sweep"]["contains"]
    assert set(told) == set(done.output)
    assert set(told["candidates"]["contains"]) == set(CandidateBody.model_fields)


def test_a_reset_by_the_module_is_changed_once(address: str) -> None:
    """I16."""
    about = {"repository": "my words", "issue": "7"}
    connected(address).post("/chat", {"message": "Remember the word fig.", **about})
    issue = Issue(agent=AGENT, **about)
    asked = session_reset.Wanted(connected(address), issue)

    changed = []
    for _run in range(2):
        plan = session_reset.plan(session_reset.read(asked), asked)
        changed.append((plan.changed, session_reset.apply(plan, asked).changed))

    assert changed == [(True, True), (False, False)]
