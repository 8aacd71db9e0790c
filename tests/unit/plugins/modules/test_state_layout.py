# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""state_layout on a real file system, run as Ansible runs it."""

from __future__ import annotations

import hashlib
import json
import os
import stat
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.agentkeep.agents.plugins.modules import state_layout

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="needs to be root")

Params = dict[str, Any]


def seen(root: Path) -> dict[str, str]:
    """Return owner and mode of everything below a directory."""
    return {
        str(path.relative_to(root)): f"{found.st_uid}:{found.st_gid} "
        f"{stat.S_IMODE(found.st_mode):o}"
        for path in sorted(root.rglob("*"))
        for found in [path.lstat()]
    }


def test_first_run_lays_out_and_second_changes_nothing(
    params: Params, run_module: Any
) -> None:
    """A02, A04, A17: everything is there at once, by owner and mode."""
    root = Path(params["data_root"])

    first = run_module(state_layout, params)
    second = run_module(state_layout, params)

    assert first.changed is True
    assert first.result["state_layout"]["counts"]["created"] == 14
    assert second.changed is False
    assert second.result["state_layout"]["changes"] == []
    assert second.result["state_layout"]["counts"] == {
        "created": 0,
        "changed": 0,
        "unchanged": 14,
    }
    found = seen(root)
    assert found["demo/agents/main/memory/.claude/projects"] == "20101:20101 750"
    assert found["demo/agents/mail/memory"] == "20102:20102 750"
    assert found["demo/shared/sockets/main"] == "20001:20101 2750"
    assert found["demo"] == "0:0 711"
    marker = json.loads((root / "demo" / "layout.json").read_text())
    assert len(marker["id"]) == 32
    assert marker == {
        "layout_version": 1,
        "deployment": "demo",
        "id": first.result["state_layout"]["id"],
        "id_map": {"uid": [[0, 0, 4294967295]], "gid": [[0, 0, 4294967295]]},
        "owners": {
            "agents": {"mail": "20102:20102", "main": "20101:20101"},
            "components": {"control": "20001:20001", "gateway": "20002:20002"},
        },
    }
    assert second.result["state_layout"]["id"] == marker["id"]


def test_check_mode_predicts_the_run_and_makes_nothing(
    params: Params, run_module: Any
) -> None:
    """A16: no path is made, and the prediction is what then happens."""
    predicted = run_module(state_layout, params, check=True, diff=True)
    assert not Path(params["data_root"]).exists()

    done = run_module(state_layout, params, diff=True)

    assert predicted.result["state_layout"].pop("id") == ""
    assert done.result["state_layout"].pop("id")
    for key in ("state_layout", "diff", "changed"):
        assert predicted.result[key] == done.result[key]


def test_drift_is_put_back_and_shown(params: Params, run_module: Any) -> None:
    """A05, A16: a drifted mode and owner are put back; the diff has both."""
    run_module(state_layout, params)
    memory = Path(params["data_root"]) / "demo/agents/main/memory"
    memory.chmod(0o777)
    os.chown(memory / ".claude", 0, 0)

    predicted = run_module(state_layout, params, check=True, diff=True)
    done = run_module(state_layout, params, diff=True)

    assert predicted.result["state_layout"] == done.result["state_layout"]
    assert done.result["state_layout"]["counts"]["changed"] == 2
    assert done.result["diff"]["before"] == {
        str(memory): {"owner": "20101:20101", "mode": "0777"},
        str(memory / ".claude"): {"owner": "0:0", "mode": "0750"},
    }
    assert run_module(state_layout, params).changed is False


def test_content_is_left_as_it_is(params: Params, run_module: Any) -> None:
    """A07: no content, time or owner of a file changes."""
    run_module(state_layout, params)
    memory = Path(params["data_root"]) / "demo/agents/main/memory"
    for number in range(20):
        (memory / f"file-{number}").write_text(str(number))
    os.chown(memory / "file-3", 4321, 4321)
    (memory / "undeclared").mkdir(mode=0o700)

    def state() -> dict[str, object]:
        return {
            path.name: (
                hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "",
                path.stat().st_mtime_ns,
                path.stat().st_ctime_ns,
                path.stat().st_uid,
            )
            for path in memory.iterdir()
            if path.name != ".claude"
        }

    before = state()
    memory.chmod(0o700)
    done = run_module(state_layout, params)

    assert done.changed is True
    assert state() == before


def test_repair_gives_files_back_once(params: Params, run_module: Any) -> None:
    """A08: the count is reported, and a second run changes nothing."""
    run_module(state_layout, params)
    memory = Path(params["data_root"]) / "demo/agents/main/memory"
    (memory / "file").write_text("")
    (memory / "link").symlink_to("/etc/passwd")
    params["repair"] = True

    predicted = run_module(state_layout, params, check=True)
    done = run_module(state_layout, params)

    assert predicted.result["state_layout"] == done.result["state_layout"]
    (change,) = done.result["state_layout"]["changes"]
    assert (change["action"], change["before"]) == ("repair", {"foreign": 2})
    assert (memory / "file").stat().st_uid == 20101
    assert Path("/etc/passwd").stat().st_uid == 0
    assert run_module(state_layout, params).changed is False


@pytest.mark.parametrize("check", [True, False])
def test_link_that_an_agent_planted_is_refused(
    params: Params, run_module: Any, check: bool
) -> None:
    """A09: an agent replaces .claude by a link to /etc."""
    run_module(state_layout, params)
    memory = Path(params["data_root"]) / "demo/agents/main/memory"
    (memory / ".claude").rename(memory / "kept")
    (memory / ".claude").symlink_to("/etc")

    done = run_module(state_layout, params, check=check)

    assert done.failed is True
    assert f'Cannot use "{memory}/.claude": ".claude" is a link to "/etc"' in (
        done.message
    )
    assert not Path("/etc/projects").exists()


def test_loop_of_links_ends(params: Params, run_module: Any) -> None:
    """A09: a link to its own parent hangs nothing."""
    run_module(state_layout, params)
    memory = Path(params["data_root"]) / "demo/agents/main/memory"
    (memory / ".claude/projects/memory").symlink_to(memory)

    assert run_module(state_layout, {**params, "repair": True}).failed is False


@pytest.mark.parametrize("kind", ["link", "file"])
def test_data_root_that_is_no_directory_is_refused(
    params: Params, run_module: Any, kind: str
) -> None:
    """A09: nothing is half made."""
    root = Path(params["data_root"])
    if kind == "link":
        root.symlink_to("/etc")
    else:
        root.write_text("")

    done = run_module(state_layout, params)

    assert done.failed is True
    assert f'Cannot use "{root}"' in done.message
    assert not Path("/etc/demo").exists()


def test_other_deployment_and_newer_layout_are_refused(
    params: Params, run_module: Any
) -> None:
    run_module(state_layout, params)
    root = Path(params["data_root"])
    (root / "demo").rename(root / "other")
    assert "belongs to deployment 'demo'" in (
        run_module(state_layout, {**params, "deployment": "other"}).message
    )

    (root / "other/layout.json").write_text('{"layout_version": 9}')
    assert "it has the layout version 9" in (
        run_module(state_layout, {**params, "deployment": "other"}).message
    )


def test_run_that_was_interrupted_is_finished_by_the_next(
    params: Params, run_module: Any
) -> None:
    run_module(state_layout, params)
    whole = seen(Path(params["data_root"]))
    memory = Path(params["data_root"]) / "demo/agents/main/memory"
    (memory / ".claude/projects").rmdir()
    os.chown(memory / ".claude", 0, 0)
    (memory / ".claude").chmod(0o700)
    marker = Path(params["data_root"]) / "demo/layout.json"
    marker.unlink()
    (marker.parent / ".layout.json.new").write_text("half")

    assert run_module(state_layout, params).failed is False

    assert seen(Path(params["data_root"])) == whole


def test_deployment_that_another_run_holds_is_refused(
    params: Params, run_module: Any
) -> None:
    import fcntl

    run_module(state_layout, params)
    root = Path(params["data_root"]) / "demo"
    (root / "agents/main/memory").chmod(0o700)

    with (root / ".lock").open("rb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = run_module(state_layout, {**params, "lock_wait_seconds": 0})

    assert done.failed is True
    assert f'Cannot lock "{root}/.lock"' in done.message


def test_faulty_inventory_is_refused_before_anything_is_made(
    params: Params, run_module: Any
) -> None:
    params["inventory"][1]["mode"] = 711

    done = run_module(state_layout, params)

    assert done.failed is True
    assert 'Cannot use entry "sockets" of the state inventory' in done.message
    assert not Path(params["data_root"]).exists()


def test_what_another_program_manages_is_looked_at_only(
    params: Params, run_module: Any
) -> None:
    params["managed"] = False

    predicted = run_module(state_layout, params, check=True)
    refused = run_module(state_layout, params)

    assert predicted.result["state_layout"]["counts"]["created"] == 9
    assert "managed is false" in refused.message
    assert not Path(params["data_root"]).exists()


def test_no_path_has_a_brace_in_its_name(params: Params, run_module: Any) -> None:
    """A03: what a shell left literal is not a directory."""
    params["inventory"][0]["directories"] = ["config/agents", "config/skills"]

    run_module(state_layout, params)

    assert [path for path in seen(Path(params["data_root"])) if "{" in path] == []
    params["inventory"][0]["directories"] = ["config/{agents,skills}"]
    assert "holds a part that is not made of" in (
        run_module(state_layout, params).message
    )
