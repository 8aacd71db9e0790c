# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""usage_info run as Ansible runs it: what is counted, warned of and refused."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.agentkeep.agents.plugins.modules import usage_info
from session_trees import Engine

from usage_trees import HUGE, du, grow, meanwhile, names

Params = dict[str, Any]
WORKDIRS: Params = {
    "name": "workdirs",
    "scope": "agent",
    "source": "workdirs",
    "owner": "agent",
    "mode": "0750",
    "mounts": [{"component": "agent", "target": "/data/workdirs", "access": "rw"}],
    "kind": "workdirs",
    "backup": "none",
}


@pytest.fixture
def asked(params: Params) -> Params:
    """Return the options of the module for the declared deployment."""
    params["inventory"] = [
        *(one for one in params["inventory"] if one["name"] != "queue"),
        dict(WORKDIRS),
    ]
    known = {
        key: value
        for key, value in params.items()
        if key not in ("repair", "lock_wait_seconds")
    }
    return {
        **known,
        "services": {"agent": {"config_directory": "/data/memory/.claude"}},
    }


def place(asked: Params, entry: str, agent: str | None = "main") -> Path:
    """Return where an entry lies, made if it is not there."""
    below = f"agents/{agent}/{entry}" if agent else f"shared/{entry}"
    path = Path(asked["data_root"], asked["deployment"], below)
    path.mkdir(parents=True, exist_ok=True)
    return path


def found(run_module: Any, options: Params) -> Params:
    """Return what the module tells; fail if it fails."""
    done = run_module(usage_info, options)
    assert not done.failed, done.message
    assert done.changed is False
    result: Params = done.result["usage_info"]
    return result


def entry_of(result: Params, name: str, agent: str | None = "main") -> Params:
    """Return what is told of an entry."""
    (one,) = (
        one
        for one in result["entries"]
        if (one["entry"], one["agent"]) == (name, agent)
    )
    assert isinstance(one, dict)
    return one


def test_before_the_first_layout_nothing_is_taken(
    asked: Params, run_module: Any
) -> None:
    result = found(run_module, asked)

    assert (result["bytes"], result["files"], result["warnings"]) == (0, 0, [])
    assert {one["present"] for one in result["entries"]} == {False}
    assert result["agents"]["mail"] == {"bytes": 0, "files": 0}
    assert not Path(asked["data_root"]).exists()


def test_each_entry_is_counted_as_du_counts_it(
    asked: Params, run_module: Any, tmp_path: Path
) -> None:
    """I17: total, areas, agents and numbers of files."""
    memory, workdirs = place(asked, "memory"), place(asked, "workdirs")
    os.rmdir(memory)
    grow(memory, tmp_path / "outside")
    (memory / ".claude/projects/-data-memory").mkdir(parents=True)
    (memory / ".claude/projects/-data-memory/one").write_bytes(b"x" * 4321)
    (workdirs / "forge/repos/ada/shop").mkdir(parents=True)
    (workdirs / "forge/repos/ada/shop/pack").write_bytes(b"x" * 9000)
    (workdirs / "forge/worktrees/feat-x").mkdir(parents=True)
    (place(asked, "memory", "mail") / "file").write_bytes(b"x" * 77)

    result = found(run_module, asked)

    told = entry_of(result, "memory")
    transcripts = du(memory / ".claude/projects")
    assert (told["bytes"], told["files"]) == (du(memory), names(memory))
    assert told["areas"]["transcripts"] == {"bytes": transcripts, "files": 1}
    assert entry_of(result, "workdirs")["bytes"] == du(workdirs)
    assert result["areas"]["caches"]["bytes"] == du(workdirs / "forge/repos")
    assert result["areas"]["workdirs"]["bytes"] == du(workdirs) - du(
        workdirs / "forge/repos"
    )
    assert result["agents"]["main"]["bytes"] == du(memory) + du(workdirs)
    assert result["bytes"] == du(memory, workdirs, place(asked, "memory", "mail"))
    assert (result["whole"], result["warnings"]) == (True, [])


def test_without_services_transcripts_are_part_of_their_entry(
    asked: Params, run_module: Any
) -> None:
    (place(asked, "memory") / ".claude/projects").mkdir(parents=True)

    result = found(run_module, {**asked, "services": {}})

    assert set(result["areas"]) == {"workspace"}


def test_an_entry_in_another_one_is_counted_once(
    asked: Params, run_module: Any
) -> None:
    """Each agent's socket lies in the directory of all sockets."""
    sockets = place(asked, "sockets", None)
    for agent in ("main", "mail"):
        (sockets / agent).mkdir()
        (sockets / agent / "control.sock").write_bytes(b"x" * 10)

    result = found(run_module, asked)
    alone = found(run_module, {**asked, "agent": "main"})

    assert entry_of(result, "socket")["bytes"] == du(sockets / "main")
    assert result["bytes"] == du(sockets)
    assert alone["bytes"] == entry_of(alone, "socket")["bytes"] == du(sockets / "main")


def test_a_file_is_an_entry_too_and_counted_once(
    asked: Params, run_module: Any
) -> None:
    common = {"scope": "agent", "owner": "agent", "mode": "0640", "form": "file"}
    more = {"kind": "config", "backup": "none"}
    for name, source in (("alone", "alone.json"), ("inside", "memory/inside.json")):
        asked["inventory"].append({"name": name, "source": source, **common, **more})
    memory = place(asked, "memory")
    (memory / "inside.json").write_bytes(b"x" * 100)
    (memory.parent / "alone.json").write_bytes(b"x" * 1000)

    result = found(run_module, asked)

    assert entry_of(result, "alone")["bytes"] == 1000
    assert entry_of(result, "inside")["present"] is True
    assert result["bytes"] == du(memory) + 1000


def test_check_mode_says_the_same(asked: Params, run_module: Any) -> None:
    (place(asked, "memory") / "file").write_bytes(b"x" * 100)

    done = run_module(usage_info, asked).result["usage_info"]
    checked = run_module(usage_info, asked, check=True).result["usage_info"]

    assert {**checked, "seconds": 0} == {**done, "seconds": 0}


@pytest.mark.skipif(os.geteuid() != 0, reason="the data root has to be root's")
def test_a_link_in_the_place_of_an_entry_is_told_and_not_followed(
    asked: Params, run_module: Any, tmp_path: Path
) -> None:
    """I17: an agent puts a link in the place of its directory."""
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside/huge").write_bytes(b"x" * 100_000)
    memory = place(asked, "memory")
    os.rmdir(memory)
    memory.symlink_to(tmp_path / "outside")

    result = found(run_module, asked)

    told = entry_of(result, "memory")
    assert (told["bytes"], told["present"]) == (0, False)
    assert 'is a link to "' in told["error"]
    assert result["warnings"] == [told["error"]]


@pytest.mark.skipif(os.geteuid() != 0, reason="the data root has to be root's")
def test_directories_that_are_swapped_for_links_meanwhile_lead_nowhere(
    asked: Params, run_module: Any, tmp_path: Path
) -> None:
    """I17: an agent renames its directories to links while root counts."""
    grow(tmp_path / "inside", tmp_path / "outside")
    memory = place(asked, "memory")
    os.rmdir(memory)
    os.rename(tmp_path / "inside", memory)
    (tmp_path / "outside/.claude/projects").mkdir(parents=True)
    (tmp_path / "outside/.claude/projects/huge").symlink_to("../../huge")
    (memory / ".claude/projects").mkdir(parents=True)
    os.link(tmp_path / "outside/huge", tmp_path / "outside/.claude/projects/other")

    def swap() -> None:
        for name in (memory / ".claude", memory / "d1", memory):
            os.rename(name, f"{name}-was")
            os.symlink(tmp_path / "outside", name)
            os.unlink(name)
            os.rename(f"{name}-was", name)

    most = 0
    with meanwhile(swap) as times:
        while times() < 200:
            most = max(most, found(run_module, asked)["bytes"])

    assert 0 < most < HUGE


def test_above_a_warning_it_goes_on_and_above_a_limit_it_fails(
    asked: Params, run_module: Any
) -> None:
    """I18: warning or failed, by option, for each agent and for all."""
    memory = place(asked, "memory")
    (memory / "file").write_bytes(b"x" * 2_000_000)

    quiet = found(run_module, {**asked, "warn_bytes": 10**9, "limit_bytes": 10**9})
    warned = found(run_module, {**asked, "warn_bytes": 10, "total_warn_bytes": 20})
    each = run_module(usage_info, {**asked, "limit_bytes": 1_000_000})
    total = run_module(usage_info, {**asked, "total_limit_bytes": 1_000_000})

    assert quiet["warnings"] == []
    assert warned["warnings"] == [
        'Agent "main" takes 2 MB, more than 10 bytes.',
        "All together take 2 MB, more than 20 bytes.",
    ]
    assert (each.failed, total.failed) == (True, True)
    assert 'Agent "main" takes 2 MB, more than 1 MB.' in each.message
    assert "All together take 2 MB" in total.message
    assert "raise limit_bytes or total_limit_bytes" in total.message


def test_a_volume_is_counted_where_the_engine_keeps_it(
    asked: Params, run_module: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """I17: volumes; one that is not there, or cannot be asked for, is no failure."""
    asked["inventory"][0] = {
        key: value for key, value in asked["inventory"][0].items() if key != "source"
    }
    asked["inventory"][0].update(volume="memory", directories=[])
    volume = tmp_path / "volumes/memory/_data"
    (volume / ".claude/projects/-data").mkdir(parents=True)
    (volume / ".claude/projects/-data/one").write_bytes(b"x" * 500)
    name = "agentkeep-demo-main-memory"
    volumes = {name: {"Mountpoint": str(volume)}}
    monkeypatch.setattr(usage_info, "connect", lambda _socket: Engine(volumes))

    result = found(run_module, asked)
    monkeypatch.undo()
    asked["engine_socket"] = str(tmp_path / "none.sock")
    away = found(run_module, asked)

    told = entry_of(result, "memory")
    assert (told["path"], told["volume"]) == (name, name)
    assert told["bytes"] == du(volume)
    assert result["areas"]["transcripts"]["bytes"] == du(volume / ".claude/projects")
    assert entry_of(result, "memory", "mail")["present"] is False
    assert entry_of(away, "memory")["error"] in away["warnings"]


def test_what_takes_too_long_is_left_and_told(
    asked: Params, run_module: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    place(asked, "memory")
    clock = iter(range(0, 10_000_000, 500))
    monkeypatch.setattr(time, "monotonic", lambda: next(clock))

    result = found(run_module, asked)

    assert result["whole"] is False
    assert "Raise scan_timeout_seconds." in result["warnings"][0]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"agent": "nobody"}, "the declared agents are mail, main"),
        ({"scan_timeout_seconds": 0}, "Set scan_timeout_seconds"),
        ({"warn_bytes": 0}, "Set warn_bytes"),
        ({"total_limit_bytes": -1}, "Set total_limit_bytes"),
        ({"agent": "main", "total_warn_bytes": 5}, "mutually exclusive"),
    ],
)
def test_what_cannot_be_used_is_refused_with_what_to_do(
    asked: Params, run_module: Any, change: Params, words: str
) -> None:
    done = run_module(usage_info, {**asked, **change})

    assert done.failed
    assert words in done.message
