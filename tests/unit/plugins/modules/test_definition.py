# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""definition on a real file system, run as Ansible runs it."""

from __future__ import annotations

import os
import stat
import threading
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.agentkeep.agents.plugins.modules import (
    definition,
    state_layout,
)

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="needs to be root")

Params = dict[str, Any]
ENTRY: Params = {
    "name": "definitions",
    "scope": "deployment",
    "source": "definitions",
    "owner": "control",
    "mode": "0755",
    "mounts": [
        {"component": "control", "target": "/data/definitions", "access": "rw"},
        {"component": "agent", "target": "/data/definitions", "access": "ro"},
    ],
    "kind": "definitions",
    "backup": "files",
}
REVIEWER: Params = {"name": "reviewer", "files": {"CLAUDE.md": "You review."}}
SKILL: Params = {"name": "style", "files": {"SKILL.md": "short", "bin/a.sh": "x"}}


@pytest.fixture
def declared(params: Params, run_module: Any) -> Params:
    """Options of a deployment that is laid out."""
    run_module(state_layout, with_entry(params))
    return options(params)


def with_entry(params: Params) -> Params:
    return {**params, "inventory": [*params["inventory"], ENTRY]}


def options(params: Params) -> Params:
    given = with_entry(params)
    del given["repair"]
    return given


def shelf(declared: Params) -> Path:
    return Path(declared["data_root"]) / "demo/shared/definitions"


def mode_of(path: Path) -> str:
    found = path.lstat()
    return f"{found.st_uid} {stat.S_IMODE(found.st_mode):o}"


def test_a_first_run_puts_all_in_place_and_a_second_changes_nothing(
    declared: Params, run_module: Any
) -> None:
    """P13: owners and modes; changed only on difference."""
    webhook = {"name": "github", "settings": {"agent": "main"}}
    wanted = {"definitions": [REVIEWER], "skills": [SKILL], "webhooks": [webhook]}

    predicted = run_module(definition, {**declared, **wanted}, check=True, diff=True)
    assert not shelf(declared).joinpath("agents").exists()
    first = run_module(definition, {**declared, **wanted}, diff=True)
    second = run_module(definition, {**declared, **wanted})

    assert predicted.result == first.result
    assert first.result["definition"]["counts"]["created"] == 3
    assert second.changed is False
    assert second.result["definition"]["counts"]["unchanged"] == 3
    found = shelf(declared)
    assert (found / "agents/reviewer/CLAUDE.md").read_text() == "You review."
    assert mode_of(found / "agents/reviewer") == "20001 755"
    assert mode_of(found / "skills/style/bin/a.sh") == "20001 644"
    assert mode_of(found / "webhooks") == "20001 700"
    assert mode_of(found / "webhooks/github.json") == "20001 600"


def test_a_changed_definition_is_replaced_whole(
    declared: Params, run_module: Any
) -> None:
    """P13: no file of the old one stays behind, and the diff names each file."""
    files = {"CLAUDE.md": "old", "notes/old.md": "x"}
    run_module(definition, {**declared, "definitions": [{**REVIEWER, "files": files}]})

    done = run_module(definition, {**declared, "definitions": [REVIEWER]}, diff=True)

    assert done.result["definition"]["changes"] == [
        {"kind": "agents", "name": "reviewer", "action": "changed"}
    ]
    assert set(done.result["diff"]["before"]["agents/reviewer"]) == set(files)
    place = shelf(declared) / "agents"
    assert sorted(path.name for path in place.rglob("*")) == ["CLAUDE.md", "reviewer"]


def test_what_is_not_declared_stays_unless_it_is_to_be_purged(
    declared: Params, run_module: Any
) -> None:
    """P13: entries of others are kept, and named."""
    uploaded = shelf(declared) / "agents/uploaded"
    uploaded.mkdir(parents=True)
    (uploaded / "CLAUDE.md").write_text("mine")
    wanted = {**declared, "definitions": [REVIEWER]}

    kept = run_module(definition, wanted)
    purged = run_module(definition, {**wanted, "purge": True})

    assert kept.result["definition"]["unmanaged"] == ["agents/uploaded"]
    assert purged.result["definition"]["counts"]["removed"] == 1
    assert not uploaded.exists()
    assert (shelf(declared) / "agents/reviewer").exists()


def test_an_absent_one_is_removed_once(declared: Params, run_module: Any) -> None:
    """P06, P13: removed, and the run after it has nothing to do."""
    run_module(definition, {**declared, "skills": [SKILL]})
    gone = {**declared, "skills": [{"name": "style", "state": "absent"}]}

    assert run_module(definition, gone).changed is True
    assert run_module(definition, gone).changed is False
    assert (shelf(declared) / "skills").exists()


def test_a_planted_link_is_replaced_and_never_followed(
    declared: Params, run_module: Any, tmp_path: Path
) -> None:
    """P05: what control, were it taken over, could plant in its own directory."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "CLAUDE.md").write_text("precious")
    agents = shelf(declared) / "agents"
    agents.mkdir()
    (agents / "reviewer").symlink_to(outside)
    (agents / "linked").mkdir()
    (agents / "linked/CLAUDE.md").symlink_to(outside / "CLAUDE.md")
    linked = {**REVIEWER, "name": "linked"}

    run_module(definition, {**declared, "definitions": [REVIEWER, linked]})

    assert (outside / "CLAUDE.md").read_text() == "precious"
    for name in ("reviewer", "linked"):
        assert not (agents / name).is_symlink()
        assert (agents / name / "CLAUDE.md").read_text() == "You review."
        assert not (agents / name / "CLAUDE.md").is_symlink()


def test_a_kind_that_is_a_link_is_refused_by_name(
    declared: Params, run_module: Any, tmp_path: Path
) -> None:
    (shelf(declared) / "agents").symlink_to(tmp_path)

    done = run_module(definition, {**declared, "definitions": [REVIEWER]})

    assert done.failed
    assert "agents" in done.result["msg"]
    assert not (tmp_path / "reviewer").exists()


@pytest.mark.parametrize("still_there", [True, False])
def test_a_run_that_was_cut_off_is_finished_by_the_next(
    declared: Params, run_module: Any, still_there: bool
) -> None:
    """What was moved aside comes back, unless its successor is in place."""
    wanted = {**declared, "definitions": [REVIEWER]}
    run_module(definition, wanted)
    agents = shelf(declared) / "agents"
    (agents / ".definition-reviewer.new").mkdir()
    (agents / ".definition-other.old").mkdir()
    (agents / ".definition-other.old/CLAUDE.md").write_text("other")
    if not still_there:
        (agents / "reviewer").rename(agents / ".definition-reviewer.old")

    done = run_module(definition, wanted)

    assert done.changed is True
    assert sorted(path.name for path in agents.iterdir()) == ["other", "reviewer"]
    assert (agents / "reviewer/CLAUDE.md").read_text() == "You review."
    assert run_module(definition, wanted).changed is False


def test_a_deployment_that_is_not_laid_out_is_refused(
    params: Params, run_module: Any
) -> None:
    done = run_module(definition, {**options(params), "definitions": [REVIEWER]})

    assert done.failed
    assert "not laid out yet" in done.result["msg"]
    assert not Path(params["data_root"]).exists()


def test_a_definition_that_is_replaced_is_there_at_every_instant(
    declared: Params, run_module: Any
) -> None:
    """P13: a turn that begins meanwhile finds the old one or the new one."""
    run_module(definition, {**declared, "definitions": [REVIEWER]})
    main = shelf(declared) / "agents/reviewer/CLAUDE.md"
    running, missed, looked = True, 0, 0

    def look() -> None:
        nonlocal missed, looked
        while running:
            looked += 1
            missed += not main.exists()

    watching = threading.Thread(target=look)
    watching.start()
    try:
        for number in range(20):
            files = {"CLAUDE.md": f"You review: {number}."}
            run_module(
                definition, {**declared, "definitions": [{**REVIEWER, "files": files}]}
            )
    finally:
        running = False
        watching.join()

    assert looked > 100
    assert missed == 0
    assert sorted(path.name for path in main.parents[1].iterdir()) == ["reviewer"]
