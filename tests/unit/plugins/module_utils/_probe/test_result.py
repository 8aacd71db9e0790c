# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""What becomes of what a probe found."""

from __future__ import annotations

import pytest
from ansible_collections.agentkeep.agents.plugins.module_utils._containers.container import (  # noqa: E501
    Container,
)
from ansible_collections.agentkeep.agents.plugins.module_utils._errors import (
    StateAtRisk,
)
from ansible_collections.agentkeep.agents.plugins.module_utils._probe.fault import (
    Fault,
)
from ansible_collections.agentkeep.agents.plugins.module_utils._probe.found import (
    Running,
)
from ansible_collections.agentkeep.agents.plugins.module_utils._probe.result import (
    Probed,
    confirmed,
    demand_none,
    losses_of,
)


def probed(step: str, conversation: str | None = "conv-1") -> Probed:
    """Return what was found in a container with one fault."""
    fault = Fault(
        service="agent-main",
        agent="main",
        entry="memory",
        subject="transcript",
        path="/p",
        step=step,
        session=conversation and "s-1",
        conversation=conversation,
    )
    return Probed(Container(service="agent-main"), Running(), faults=(fault,))


@pytest.mark.parametrize(
    ("found", "kept", "stands"),
    [
        (probed("missing"), True, 1),
        (probed("missing"), False, 0),
        (probed("empty"), False, 0),
        (probed("append"), False, 1),
        (probed("empty", conversation=None), False, 1),
    ],
)
def test_a_conversation_that_changed_meanwhile_is_no_fault(
    found: Probed, kept: bool, stands: int
) -> None:
    (after,) = confirmed([found], lambda conversation, session: kept)

    assert len(after.faults) == stands


def test_faults_end_the_run() -> None:
    """K16: the probe fails with the name of the agent."""
    with pytest.raises(StateAtRisk, match='agent "main"'):
        demand_none("demo", "fail", [probed("missing")])

    demand_none("demo", "fail", [Probed(Container(), Running())])


def test_a_lost_transcript_is_a_warning_where_it_is_told_to_be() -> None:
    """An agent that deletes its own transcript must not be able to end every run."""
    demand_none("demo", "warn_of_lost", [probed("missing"), probed("empty")])

    (warning,) = losses_of([probed("missing")])
    assert 'conversation "conv-1"' in warning
    assert losses_of([probed("append")]) == ()


def test_another_fault_ends_the_run_where_lost_transcripts_are_warnings() -> None:
    with pytest.raises(StateAtRisk):
        demand_none("demo", "warn_of_lost", [probed("missing"), probed("append")])
