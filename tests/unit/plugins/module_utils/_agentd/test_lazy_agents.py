# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""K11: an agent that waits to be needed is not waited for."""

from __future__ import annotations

from ansible_collections.agentkeep.agents.plugins.module_utils._agentd.probe import (
    Probe,
    Service,
    waiting_for,
)

HOT = {"name": "hot", "connected": True, "ok": True}
AWAY = {"name": "lazy", "connected": False, "ok": False}
BROKEN = {"name": "lazy", "connected": True, "ok": False, "errors": ["EROFS"]}
PROBE = Probe(agent=None, wait_seconds=1, turn=True, lazy=("lazy",))


def test_one_that_nobody_has_started_is_neither_waited_for_nor_spoken_to() -> None:
    assert waiting_for(Service(agents=[HOT, AWAY]), PROBE) is None
    assert [one.agent for one in PROBE.each([HOT, AWAY])] == ["hot"]


def test_one_that_runs_is_asked_like_any_other() -> None:
    found = waiting_for(Service(agents=[HOT, BROKEN]), PROBE)

    assert found == 'agent "lazy" cannot write its state (EROFS)'


def test_one_that_is_named_must_be_there() -> None:
    named = Probe(agent="lazy", wait_seconds=1)

    assert waiting_for(Service(agents=[HOT, AWAY]), named) is not None


def test_one_that_is_not_lazy_must_be_there() -> None:
    found = waiting_for(Service(agents=[HOT, AWAY]), Probe(agent=None, wait_seconds=1))

    assert found == 'agent "lazy" is not connected'
