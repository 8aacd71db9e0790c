# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""A live file is replaced under whoever reads it: nothing is made anew for it."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from module_runs import Params, Small
from running import Deployment, docker
from upstream import Upstream

HEALTH: Params = {"shell": "true", "interval_seconds": 0.3, "retries": 1}
FAILING: Params = {**HEALTH, "shell": "false"}
KEY = "/etc/agentd/key"


def files(key: str, settings: str = "first") -> list[Params]:
    """Return a settings file, and a live file with a key."""
    own = {"entry": "settings", "owner": "root", "group": "control"}
    return [
        {**own, "name": "settings.json", "content": settings},
        {**own, "name": "key", "content": key, "live": True},
    ]


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Small]:
    """A deployment of its first release, with a key."""
    one = Small(tmp_path / "state", options={"health_wait_seconds": 30})
    one.options.update(files=files("key-1"), services=one.service("control"))
    one.options["services"]["control"]["health"] = HEALTH
    one.lay_out()
    try:
        run = one.deploy()
        assert not run.failed, run.message
        yield one
    finally:
        one.destroy()


def networks(small: Small) -> list[str]:
    """Return the networks that are there for the deployment."""
    labelled = f"--filter=label=agentkeep.deployment={small.name}"
    return docker("network", "ls", "--format={{.Name}}", labelled).split()


def started(small: Small) -> dict[str, str]:
    """Return since when each container runs, by its id."""
    found = [small.inspect(service) for service in ("control", "agent-main")]
    return {one["Id"]: one["State"]["StartedAt"] for one in found}


def index(small: Small) -> Params:
    """Return which releases are kept."""
    return dict(json.loads((small.root / "releases/index.json").read_text()))


def test_another_key_is_seen_inside_and_nothing_is_restarted(small: Small) -> None:
    """B09, A16, A17: and it is no other release to go back to."""
    before, kept = started(small), index(small)

    predicted = small.deploy(check=True, files=files("key-2"))
    unchanged = small.within("control", "cat", KEY)
    done = small.deploy(files=files("key-2"))
    again = small.deploy(files=files("key-2"))

    assert predicted.lists() == done.lists()
    assert done.lists()["unchanged"] == ["agent-main", "control"]
    assert (predicted.result["changed"], done.result["changed"]) == (True, True)
    assert again.result["changed"] is False
    assert (unchanged, small.within("control", "cat", KEY)) == ("key-1", "key-2")
    assert started(small) == before
    assert index(small) == kept
    assert "key-2" not in done.output


def test_what_others_wrote_into_it_is_replaced_and_nothing_is_restarted(
    small: Small,
) -> None:
    """K03: its reader has read that meanwhile, and reads again."""
    before = started(small)
    (small.root / "shared/settings/key").write_text("of-somebody")

    found = small.information()
    done = small.deploy()

    assert found.result["deployment_info"]["drifted"] == []
    assert done.result["changed"] is True
    assert small.within("control", "cat", KEY) == "key-1"
    assert started(small) == before


def test_the_way_back_by_hand_leaves_the_key_that_is_good_now(small: Small) -> None:
    """K15: an old key may have been revoked, whichever release it was used with."""
    assert not small.deploy(files=files("key-1", "second")).failed
    assert not small.deploy(files=files("key-2", "second")).failed

    back = small.deploy(files=files("key-2", "second"), state="previous")

    assert not back.failed, back.message
    assert small.within("control", "cat", "/etc/agentd/settings.json") == "first"
    assert small.within("control", "cat", KEY) == "key-2"
    failed = small.deploy(
        files=files("key-3", "third"),
        services=small.service("control", health=FAILING),
    )
    assert failed.failed
    assert small.within("control", "cat", "/etc/agentd/settings.json") == "first"
    assert small.within("control", "cat", KEY) == "key-2"


def test_a_release_that_fails_takes_its_key_along(small: Small) -> None:
    """K15: with it, the release before might not even start. So do its networks."""
    before = networks(small)
    failed = small.deploy(
        files=files("key-2", "second"),
        services=small.service(
            "control", health=FAILING, networks=["control", "other"]
        ),
    )

    assert failed.failed
    assert "put back" in failed.message
    assert small.within("control", "cat", KEY) == "key-1"
    assert networks(small) == before


def test_the_model_key_is_rotated_by_a_play_while_a_turn_runs(
    deployment: Deployment, upstream: Upstream
) -> None:
    """The turn ends well, and what is asked afterwards goes with the new key."""
    deployment.wait_until_connected()
    before, known = deployment.containers(), len(upstream.refused)
    answers: list[dict[str, Any]] = []
    turn = threading.Thread(
        target=lambda: answers.append(deployment.say("Hello, for a while."))
    )
    asked = len(upstream.accepted)
    upstream.ends.clear()
    turn.start()
    try:
        while len(upstream.accepted) == asked and turn.is_alive():
            time.sleep(0.05)

        outcome = deployment.deploy(deployment_anthropic_api_key="sk-ant-the-next-key")
        runs = turn.is_alive()
        refused = deployment.ask("POST", "/chat", {"message": "Hello"})
    finally:
        upstream.ends.set()
        turn.join()
        deployment.deploy()

    assert outcome.status == 0, outcome.output
    assert runs, "the turn was over before the key was another"
    assert [answer["status"] for answer in answers] == ["success"]
    assert refused["status"] == "error"
    sent = set(upstream.refused[known:])
    del upstream.refused[known:]
    assert sent == {"sk-ant-the-next-key"}
    assert deployment.containers() == before
    assert deployment.say("Hello")
