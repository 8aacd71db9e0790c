# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""The engine's answers, refusals and silence."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible_collections.agentkeep.agents.plugins.module_utils._engine.engine import (
    Engine,
    connect,
)
from ansible_collections.agentkeep.agents.plugins.module_utils._errors import (
    EngineFailed,
    EngineUnreachable,
)
from docker import errors


class Client:
    """An engine that answers each call with one value, or raises it."""

    base_url = "http+docker://localhost"

    def __init__(self, answer: Any) -> None:
        self.answer = answer
        self.asked: list[tuple[str, tuple[Any, ...]]] = []

    def __getattr__(self, name: str) -> Any:
        def call(*given: Any, **_more: Any) -> Any:
            self.asked.append((name, given))
            if isinstance(self.answer, Exception):
                raise self.answer
            return self.answer

        return call


def test_a_silent_engine_is_one_error_that_names_socket_and_remedy(
    tmp_path: Path,
) -> None:
    """K09: nothing is removed, and the operator learns what to set."""
    with pytest.raises(EngineUnreachable) as caught:
        connect(str(tmp_path / "no.sock"))

    assert str(tmp_path / "no.sock") in str(caught.value)
    assert "engine_socket" in caught.value.remedy


def test_an_engine_that_is_not_ready_is_asked_again_until_the_wait_is_over(
    tmp_path: Path,
) -> None:
    """D23: after a reboot the engine may come later than the run."""
    times = iter([0.0, 1.0, 2.0, 3.1])
    pauses: list[float] = []

    with pytest.raises(EngineUnreachable):
        connect(str(tmp_path / "no.sock"), 3, lambda: next(times), pauses.append)

    assert len(pauses) == 2


@pytest.mark.parametrize(
    "silence", [ConnectionError("reset"), errors.DockerException("gone")]
)
def test_an_engine_that_falls_silent_meanwhile_is_unreachable(
    silence: Exception,
) -> None:
    """K09: neither an empty list nor a missing container is made of silence."""
    with pytest.raises(EngineUnreachable):
        Engine(Client(silence), errors).containers()
    with pytest.raises(EngineUnreachable):
        Engine(Client(silence), errors).inspect("one")


def test_what_the_engine_does_not_have_is_none() -> None:
    engine = Engine(Client(errors.NotFound("no such thing")), errors)

    assert engine.inspect("one") is None
    assert engine.image("one") is None
    assert engine.volume("one") is None
    engine.remove_network("one")


def test_a_refusal_says_what_was_asked_and_what_the_engine_said() -> None:
    engine = Engine(Client(errors.APIError("port is taken")), errors)

    with pytest.raises(EngineFailed, match=r'start the container "one".*port is taken'):
        engine.start("one")


def test_a_list_holds_the_containers_own_name_and_not_its_links() -> None:
    listed = {"Id": "1", "Names": ["/other/alias", "/one"], "Labels": None}

    (found,) = Engine(Client([listed]), errors).containers()

    assert (found.name, found.labels, found.state) == ("one", {}, "")


def test_networks_and_volumes_of_before_deployments_had_an_id_are_listed() -> None:
    """K07: a wipe after an upgrade would leave them otherwise, and say nothing."""
    found = [
        {"Name": "new", "Labels": {"agentkeep.deployment": "a", "agentkeep.id": "1"}},
        {"Name": "older", "Labels": {"agentkeep.deployment": "a"}},
        {"Name": "other", "Labels": {"agentkeep.deployment": "a", "agentkeep.id": "2"}},
        {"Name": "bare", "Labels": None},
    ]

    networks = Engine(Client(found), errors).networks("a", "1")
    volumes = Engine(Client({"Volumes": found}), errors).volumes("a", "1")

    assert networks == volumes == ("new", "older")
