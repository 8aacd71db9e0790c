# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""An operator's own directories in containers that really run."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from module_runs import AGENT_UID, Run, Small

Params = dict[str, Any]
TARGET = "/data/extra/book"


@dataclass(frozen=True)
class Shared:
    """A deployment, and a directory that its operator shows to the agent."""

    small: Small
    book: Path
    allowlist: Path

    def allow(self, **root: Any) -> None:
        """Write an allowlist with one root."""
        roots = [{"path": str(self.book.parent), **root}]
        self.allowlist.parent.mkdir(exist_ok=True)
        self.allowlist.write_text(json.dumps({"allowed_roots": roots}))
        self.allowlist.chmod(0o644)

    def options(self, **mount: Any) -> Params:
        """Return the options of an operator mount."""
        return {
            "operator_mounts": [{"source": str(self.book), **mount}],
            "allowlist_file": str(self.allowlist),
        }

    def deploy(self, *, check: bool = False, **mount: Any) -> Run:
        """Deploy with the mount."""
        return self.small.deploy(check=check, **self.options(**mount))

    def mounts(self) -> dict[str, bool]:
        """Return the engine's mounts of the agent: target, and whether writable."""
        found = self.small.inspect("agent-main")["Mounts"]
        return {one["Destination"]: one["RW"] for one in found}

    def can_write(self) -> bool:
        """Return whether the agent can write there."""
        script = f"touch {TARGET}/x 2>/dev/null && echo yes || echo no"
        return self.small.within("agent-main", "sh", "-c", script) == "yes"


@pytest.fixture
def shared(tmp_path: Path) -> Iterator[Shared]:
    """A deployment that is laid out, and a directory of the agent's user."""
    small = Small(tmp_path / "state")
    book = tmp_path / "shared/book"
    book.mkdir(parents=True)
    os.chown(book, AGENT_UID, AGENT_UID)
    small.lay_out()
    try:
        yield Shared(small, book, tmp_path / "allow/list.json")
    finally:
        small.destroy()


def test_a_mount_becomes_writable_and_read_only_again(shared: Shared) -> None:
    """C11, C13: each change makes a new container, and then nothing changes."""
    shared.allow(allow_read_write=True)
    assert shared.deploy().lists()["created"] == ["agent-main", "control"]
    assert (shared.mounts()[TARGET], shared.can_write()) == (False, False)

    predicted, wider = (
        shared.deploy(check=True, access="rw"),
        shared.deploy(access="rw"),
    )
    assert predicted.lists() == wider.lists()
    assert wider.lists()["recreated"] == ["agent-main"]
    assert wider.reasons("agent-main") == ["mounts"]
    assert (shared.mounts()[TARGET], shared.can_write()) == (True, True)

    assert shared.deploy(access="ro").lists()["recreated"] == ["agent-main"]
    assert shared.can_write() is False
    assert shared.deploy(access="ro").result["changed"] is False


def test_a_root_that_stops_allowing_writing_takes_it_away(shared: Shared) -> None:
    """C02, C11: the allowlist of this run decides, not that of the last."""
    shared.allow(allow_read_write=True)
    shared.deploy(access="rw")

    shared.allow()
    narrower = shared.deploy(access="rw")

    assert narrower.lists()["recreated"] == ["agent-main"]
    assert shared.can_write() is False


def test_without_an_allowlist_nothing_is_made(shared: Shared) -> None:
    """C01: refused with its path; the file works at the next run."""
    refused = shared.deploy()

    assert refused.failed
    assert f'there is no allowlist at "{shared.allowlist}"' in refused.message
    assert shared.small.listed() == {}
    shared.allow()
    assert not shared.deploy().failed
    assert TARGET in shared.mounts()


def test_a_link_that_was_swapped_is_refused_at_the_next_run(shared: Shared) -> None:
    """C05: what runs is not touched, and keeps what was checked."""
    shared.allow()
    real = shared.book.with_name("real")
    shared.book.rename(real)
    shared.book.symlink_to(real)
    shared.deploy()
    before = shared.small.listed()
    assert TARGET in shared.mounts()

    shared.book.unlink()
    shared.book.symlink_to("/etc")
    refused = shared.deploy()

    assert refused.failed
    assert '"/etc"' in refused.message
    assert shared.small.listed() == before


def test_what_is_skipped_is_said_and_the_rest_runs(shared: Shared) -> None:
    """C12, C14: the container runs without it, with a warning."""
    skipped = shared.small.deploy(**shared.options(), operator_mounts_refused="skip")

    assert not skipped.failed
    assert TARGET not in shared.mounts()
    assert "there is no allowlist" in str(skipped.result["deployment"]["warnings"])


def test_the_report_lists_what_the_engine_mounts(shared: Shared) -> None:
    """B08: operator mounts too, each with its effective mode."""
    shared.allow()
    shared.deploy(access="rw")

    found = shared.small.information(**shared.options(access="rw"))

    for one in found.result["deployment_info"]["containers"]:
        inspected = shared.small.inspect(one["service"])["Mounts"]
        assert {(m["source"], m["target"], m["effective"]) for m in one["mounts"]} == {
            (m["Source"], m["Destination"], "rw" if m["RW"] else "ro")
            for m in inspected
        }
        assert one["reasons"] == []
