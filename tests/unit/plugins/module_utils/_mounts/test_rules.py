# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Each rule for an operator's mount, in both directions."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.agentkeep.agents.plugins.module_utils._mounts import (
    host,
)

FoundPath = host.FoundPath
Passed = host.Passed

ACCESS = [
    (
        "rw",
        "/srv/projects/a",
        ("rw", 'the allowed root "/srv/projects" allows writing'),
    ),
    ("rw", "/srv/docs/a", ("ro", "does not allow writing")),
    ("ro", "/srv/projects/a", ("ro", "read-only as asked for")),
    ("ro", "/srv/docs/a", ("ro", "read-only as asked for")),
]


@pytest.mark.parametrize(("access", "source", "expected"), ACCESS)
def test_writing_needs_both_sides(
    access: str, source: str, expected: tuple[str, str], params: Any, kit: Any
) -> None:
    """C11, C12: four cases, each with what was asked, what is, the root and why."""
    found = kit.asked(params, kit.FakeHost(), {"source": source, "access": access})

    (mount,) = found.mounts
    effective, why = expected
    assert (mount.requested, mount.effective) == (access, effective)
    assert mount.root == source.rpartition("/")[0]
    assert why in mount.reason
    assert (mount.origin, mount.target) == ("operator", "/data/extra/a")


def test_the_most_specific_root_decides(params: dict[str, Any], kit: Any) -> None:
    roots = [{"path": "/srv", "allow_read_write": True}, {"path": "/srv/docs"}]
    one = kit.FakeHost(json.dumps({"allowed_roots": roots}))

    (mount,) = kit.asked(params, one, {"source": "/srv/docs/a", "access": "rw"}).mounts

    assert (mount.root, mount.effective) == ("/srv/docs", "ro")


PLACES = [
    ("/srv/projects", ""),  # C04: a root itself
    ("/srv/projects/a/b", ""),
    ("/srv/projectsX", "is below no allowed root"),  # C04
    ("/srv", "which no container gets"),
    ("/opt/x", "is below no allowed root"),
    ("/srv/projects/.env", "is blocked by the pattern"),  # C07
    ("/srv/projects/credentials/x", "is blocked by the pattern"),  # C07
    ("/srv/projects/.environment", ""),  # C08
    ("/srv/agentkeep", 'lies in "/srv/agentkeep"'),
    ("/srv/agentkeep/other/agents", 'lies in "/srv/agentkeep"'),
    ("/home/ann/.local/bin", "which no container gets"),  # C09
    ("/home/ann/.config/agentkeep", "which no container gets"),  # C09
    ("/home/ann/.claude", "a login of this host"),  # B11
    ("/home/ann/.claude/.credentials.json", "a login of this host"),  # B11
    ("/home/ann", "which no container gets"),
    ("/home", "which no container gets"),
    ("/home/ann/books", ""),
    ("/home/bob/.claude", ""),
]


@pytest.mark.parametrize(("source", "why"), PLACES)
def test_a_place_is_allowed_or_refused_with_its_reason(
    source: str, why: str, params: dict[str, Any], kit: Any
) -> None:
    found = kit.asked(params, kit.FakeHost(), {"source": source, "target": "x"})

    if why:
        assert why in kit.reason(found)
    else:
        assert len(found.mounts) == 1


ROOTED = [
    "/usr/local/bin/x",
    "/etc",
    "/etc/agentkeep",
    "/proc/1",
    "/dev",
    "/var/lib/docker/volumes",
    "/",
]


@pytest.mark.parametrize("source", ROOTED)
def test_what_runs_the_host_is_never_mounted(
    source: str, params: dict[str, Any], kit: Any
) -> None:
    """C09: not even below an allowed root, not even if the operator insists."""
    roots = [{"path": source.rpartition("/")[0] or "/etc"}]
    one = kit.FakeHost(json.dumps({"allowed_roots": roots}))

    found = kit.asked(
        params, one, {"source": source, "target": "x"}, allow_sensitive_mounts=True
    )

    assert "which no container gets" in kit.reason(found)


def test_the_engines_socket_needs_insistence(params: dict[str, Any], kit: Any) -> None:
    """B11: whoever has it is root."""
    socket = "/var/run/docker.sock"
    roots = json.dumps({"allowed_roots": [{"path": "/run"}]})
    one = kit.moved(socket, "/run/docker.sock", kind="other")
    one.allowlist = roots
    mount = {"source": socket}

    assert "neither a directory nor a file" in kit.reason(kit.asked(params, one, mount))
    allowed = kit.asked(params, one, mount, allow_sensitive_mounts=True)
    assert [found.source for found in allowed.mounts] == ["/run/docker.sock"]
    other = kit.moved("/srv/x", "/run/other.sock")
    other.allowlist = roots
    refused = kit.asked(
        params, other, {"source": "/srv/x"}, engine_socket="/run/other.sock"
    )
    assert "the engine itself" in kit.reason(refused)


def test_a_link_is_followed_before_the_rules_look(
    params: dict[str, Any], kit: Any
) -> None:
    """C05: a link out of a root is refused; the mount is where the link leads."""
    out = kit.asked(
        params, kit.moved("/srv/docs/a", "/opt/a"), {"source": "/srv/docs/a"}
    )
    into = kit.asked(
        params, kit.moved("/srv/docs/a", "/srv/docs/b"), {"source": "/srv/docs/a"}
    )
    secret = kit.asked(
        params, kit.moved("/srv/docs/a", "/srv/docs/.ssh"), {"source": "/srv/docs/a"}
    )

    assert '"/opt/a" is below no allowed root' in kit.reason(out)
    assert into.mounts[0].source == "/srv/docs/b"
    assert '".ssh"' in kit.reason(secret)


def test_a_root_that_is_a_link_is_what_it_leads_to(
    params: dict[str, Any], kit: Any
) -> None:
    """C04, C05: both sides are real paths."""
    one = kit.moved("/srv/docs", "/volume/docs")
    one.paths["/srv/docs/a"] = FoundPath(
        "/srv/docs/a", "/volume/docs/a", "directory", way=kit.way
    )

    (mount,) = kit.asked(params, one, {"source": "/srv/docs/a"}).mounts

    assert (mount.root, mount.source) == ("/volume/docs", "/volume/docs/a")


SWAPS = [
    ((Passed("/srv/docs", 20101, 0, 0o755, 0),), True),  # an agent owns it
    ((Passed("/srv/docs", 1000, 1000, 0o755, 1000),), False),  # a person does
    ((Passed("/srv/docs", 0, 20102, 0o775, 0),), True),  # an agent's group writes
    ((Passed("/srv/docs", 0, 20102, 0o755, 0),), False),
    ((Passed("/srv/docs", 0, 0, 0o777, 0),), True),  # everybody writes
    ((Passed("/tmp", 0, 0, 0o1777, 0),), False),  # sticky, and the child is root's
    ((Passed("/tmp", 0, 0, 0o1777, 20101),), True),  # sticky, the child an agent's
    ((Passed("/srv/docs", 20001, 0, 0o755, 0),), True),  # control is no one to trust
    ((Passed("/srv/docs", 30000, 0, 0o755, 0, ("uid",)),), True),  # nobody's here
    ((Passed("/srv/docs", 0, 30000, 0o775, 0, ("gid",)),), True),
    ((Passed("/srv/docs", 0, 30000, 0o755, 0, ("gid",)),), False),
    ((Passed("/tmp", 0, 0, 0o1777, 30000, ("child_uid",)),), True),
]


@pytest.mark.parametrize(("way", "refused"), SWAPS)
def test_a_way_that_an_agent_could_bend_is_refused(
    way: tuple[Passed, ...], refused: bool, params: dict[str, Any], kit: Any
) -> None:
    """C05: what was checked must still be there when the engine mounts it."""
    one = kit.moved("/srv/docs/a", "/srv/docs/a", way=way)

    found = kit.asked(params, one, {"source": "/srv/docs/a"})

    assert bool(found.refused) is refused
    if refused:
        assert "could put something else in its place" in kit.reason(found)


def test_a_missing_source_is_refused_and_never_made(
    params: dict[str, Any], kit: Any
) -> None:
    """B17: with its name."""
    one = kit.moved("/srv/docs/a", "/srv/docs/a", kind="missing")

    found = kit.asked(params, one, {"source": "/srv/docs/a"})

    assert 'its source "/srv/docs/a" does not exist' in kit.reason(found)


def test_a_single_file_is_mounted_with_a_warning(
    params: dict[str, Any], kit: Any
) -> None:
    """B09: a container keeps the old file when it is replaced."""
    one = kit.moved("/srv/docs/a", "/srv/docs/a", kind="file")

    found = kit.asked(params, one, {"source": "/srv/docs/a"})

    assert len(found.mounts) == 1
    assert any("is a single file" in warning for warning in found.warnings)
