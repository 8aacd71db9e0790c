# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""In which order containers are stopped and started."""

from __future__ import annotations

import pytest
from ansible_collections.agentkeep.agents.plugins.module_utils._containers.container import (  # noqa: E501
    Container,
)
from ansible_collections.agentkeep.agents.plugins.module_utils._deploy.journal import (
    COPIED,
    STEPS,
    WRITTEN,
    Journal,
)
from ansible_collections.agentkeep.agents.plugins.module_utils._deploy.launch import (
    Launch,
    in_batches,
    launches_of,
)
from ansible_collections.agentkeep.agents.plugins.module_utils._deploy.order import (
    start_waves,
    stop_sequence,
)
from ansible_collections.agentkeep.agents.plugins.module_utils._deploy.plan import Step
from ansible_collections.agentkeep.agents.plugins.module_utils._deploy.release import (
    Release,
    ReleaseIndex,
    release_of,
    release_tag,
)
from ansible_collections.agentkeep.agents.plugins.module_utils._errors import (
    DeploymentRefused,
    InvalidInput,
)


def container(service: str, needs: tuple[str, ...] = (), order: int = 0) -> Container:
    """Return a declared container."""
    return Container(
        name=f"agentkeep-demo-{service}",
        service=service,
        component=service.partition("-")[0],
        needs=needs,
        stop_order=order,
        image_id="sha256:0123456789abcdef",
        secret_environment={"KEY": service},
    )


CONTROL = container("control", ("redis",))
AGENTS = (
    container("agent-a", ("control",), 10),
    container("agent-b", ("control",), 10),
)
REDIS = container("redis", order=30)


def test_a_container_starts_after_those_that_it_needs() -> None:
    """D06: and those that need nothing of each other start together."""
    waves = start_waves([*AGENTS, CONTROL, REDIS])

    assert [[one.service for one in wave] for wave in waves] == [
        ["redis"],
        ["control"],
        ["agent-a", "agent-b"],
    ]


def test_containers_that_need_each_other_are_refused() -> None:
    with pytest.raises(InvalidInput, match="circle"):
        start_waves([container("a", ("b",)), container("b", ("a",))])


def test_containers_stop_in_the_order_that_lets_work_end() -> None:
    """K14: control, then agents, then what they all use; strangers last."""
    steps = [
        Step(one.name, one.service, one.component, None, "recreated", container=one)
        for one in (REDIS, *AGENTS, CONTROL)
    ]
    gone = Step("agentkeep-demo-agent-old", "agent-old", "agent", "old", "removed")

    groups = stop_sequence([*steps, gone], {"agent": 10, "redis": 30})

    assert [sorted(step.service for step in group) for group in groups] == [
        ["control"],
        ["agent-a", "agent-b", "agent-old"],
        ["redis"],
    ]


def launch(service: str, secret: str, *, start: bool = True) -> Launch:
    """Return a container to be made."""
    return Launch(service, f"agentkeep-demo-{service}", 0, start, {"KEY": secret})


def test_one_call_of_compose_has_one_value_for_each_secret() -> None:
    """D10: two containers with one name and two values are two calls."""
    batches = in_batches(
        [
            launch("a", "1"),
            launch("b", "2"),
            launch("c", "1"),
            launch("d", "1", start=False),
        ]
    )

    assert [[one.service for one in batch] for batch in batches] == [
        ["a", "c"],
        ["b"],
        ["d"],
    ]


def test_a_release_is_kept_and_read_back_without_its_secrets() -> None:
    """K15: its manifest names the secrets, whose values lie in their own files."""
    release = release_of([CONTROL, REDIS], "compose text", [])

    again = Release.from_manifest(release.manifest().encode(), "compose text")

    assert again == release
    assert again.services["control"].wave == 1
    (one,) = launches_of(again, ["control"], {"control": "OTHER=1\nKEY=a=b\n"})
    assert one.secrets == {"KEY": "a=b"}
    assert "a=b" not in repr(one)


def test_a_release_is_another_one_when_a_secret_is() -> None:
    """K15: the same input makes the same release."""
    other = container("redis", order=30)
    changed = Container(**{**other.__dict__, "secret_environment": {"KEY": "new"}})

    assert release_of([REDIS], "text", []).id == release_of([other], "text", []).id
    assert release_of([REDIS], "text", []).id != release_of([changed], "text", []).id


def test_a_damaged_manifest_is_refused_and_a_damaged_index_is_none() -> None:
    with pytest.raises(DeploymentRefused):
        Release.from_manifest(b"{", "text")

    assert ReleaseIndex.from_text(b"[]") == ReleaseIndex()


def test_the_release_that_ran_before_is_kept() -> None:
    index = ReleaseIndex().with_current("a").with_current("b").with_current("b")

    assert index.kept() == ("b", "a")
    assert ReleaseIndex.from_text(index.text().encode()) == index
    assert release_tag("sha256:0123456789abcdef") == "0123456789ab"


def test_a_journal_remembers_that_databases_are_safe() -> None:
    """K15: later steps do not forget it, and no step is unknown."""
    journal = Journal(to="b", before="a", touched=("control",)).at(COPIED).at(WRITTEN)

    assert journal.copied is True
    assert Journal.from_text(journal.text().encode()) == journal
    assert journal.step in STEPS
    assert Journal.from_text(None) is None
    assert Journal.from_text(b"half") == Journal(to="")
