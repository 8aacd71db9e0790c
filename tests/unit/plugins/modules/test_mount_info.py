# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""mount_info run as Ansible runs it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ansible_collections.agentkeep.agents.plugins.modules import mount_info

Params = dict[str, Any]


def options(params: Params) -> Params:
    """Return the options that this module knows."""
    unknown = ("repair", "lock_wait_seconds")
    return {key: value for key, value in params.items() if key not in unknown}


def test_mounts_are_listed_and_nothing_is_made(params: Params, run_module: Any) -> None:
    done = run_module(mount_info, options(params))

    root = f"{params['data_root']}/demo"
    assert done.changed is False
    assert done.result["mount_info"]["mounts"][0] == {
        "component": "agent",
        "agent": "main",
        "entry": "memory",
        "type": "bind",
        "source": f"{root}/agents/main/memory",
        "target": "/data/memory",
        "requested": "rw",
        "effective": "rw",
        "origin": "built-in",
        "root": None,
        "reason": "the state inventory declares it",
        "purpose": "Working directory of the agent.",
    }
    assert done.result["mount_info"]["directories"]["sockets"] == {
        "": f"{root}/shared/sockets"
    }
    assert not Path(params["data_root"]).exists()


def test_check_mode_lists_the_same(params: Params, run_module: Any) -> None:
    done = run_module(mount_info, options(params))

    checked = run_module(mount_info, options(params), check=True)

    assert checked.result["mount_info"] == done.result["mount_info"]


NESTED: Params = {
    "name": "notes",
    "scope": "agent",
    "source": "memory/notes",
    "owner": "agent",
    "mode": "0750",
    "mounts": [{"component": "agent", "target": "/data/notes", "access": "ro"}],
    "kind": "workspace",
    "backup": "none",
    "optional": True,
}


def test_what_is_unsafe_in_another_programs_deployment_is_said(
    params: Params, run_module: Any
) -> None:
    """A09: what cannot be refused there is warned of, if the entry is in use."""
    given = options(params)
    given["inventory"].append({**NESTED, "mounts": []})
    given["managed"] = False
    del given["include_optional"]

    safe = run_module(mount_info, given)
    given["inventory"][-1] = NESTED
    unused = run_module(mount_info, given)
    unsafe = run_module(mount_info, {**given, "include_optional": ["notes"]})

    assert safe.result["mount_info"]["warnings"] == []
    assert unused.result["mount_info"]["warnings"] == []
    (warning,) = unsafe.result["mount_info"]["warnings"]
    assert warning.startswith('Unsafe: entry "notes": it is mounted and lies in')
    assert 'entry "memory"' in warning


def test_equal_uids_are_refused(params: Params, run_module: Any) -> None:
    params["agents"][1]["uid"] = 20101

    done = run_module(mount_info, options(params))

    assert done.failed is True
    assert 'Cannot keep agent "mail" apart from agent "main"' in done.message


def allow(params: Params, tmp_path: Path, text: str) -> Params:
    """Return the options with an operator mount and an allowlist of that text."""
    (tmp_path / "books/a").mkdir(parents=True, exist_ok=True)
    (tmp_path / "allow").mkdir(exist_ok=True)
    (tmp_path / "allow/list.json").write_text(text)
    return {
        **options(params),
        "operator_mounts": [{"source": str(tmp_path / "books/a"), "access": "rw"}],
        "allowlist_file": str(tmp_path / "allow/list.json"),
    }


def test_an_operators_mount_comes_with_its_reason(
    params: Params, run_module: Any, tmp_path: Path
) -> None:
    """C12: requested and effective mode, root and reason, in check mode too."""
    roots = [{"path": str(tmp_path / "books")}]
    given = allow(params, tmp_path, json.dumps({"allowed_roots": roots}))

    done = run_module(mount_info, given, check=True)

    found = done.result["mount_info"]["mounts"][-1]
    assert (found["requested"], found["effective"]) == ("rw", "ro")
    assert found["root"] == str(tmp_path / "books")
    assert "does not allow writing" in found["reason"]


def test_the_allowlist_is_read_anew_at_each_run(
    params: Params, run_module: Any, tmp_path: Path
) -> None:
    """C01, C02: a broken one is refused, and a right one works at once."""
    given = allow(params, tmp_path, "{")

    broken = run_module(mount_info, given)
    (tmp_path / "allow/list.json").write_text(
        json.dumps({"allowed_roots": [{"path": str(tmp_path / "books")}]})
    )
    right = run_module(mount_info, given)

    assert broken.failed
    assert "it is no JSON" in broken.message
    assert not right.failed


def test_a_skipped_mount_is_listed(
    params: Params, run_module: Any, tmp_path: Path
) -> None:
    """C14: skip leaves it out, with a warning."""
    given = allow(params, tmp_path, "{}")

    done = run_module(mount_info, {**given, "operator_mounts_refused": "skip"})

    found = done.result["mount_info"]
    assert [one["agent"] for one in found["refused"]] == ["main", "mail"]
    assert "is below no allowed root" in found["refused"][0]["reason"]
    assert len(found["warnings"]) == 2
