# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""The allowlist's file, what is refused and what is warned of."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.agentkeep.agents.plugins.module_utils._errors import (
    MountRefused,
)
from ansible_collections.agentkeep.agents.plugins.module_utils._mounts import (
    effective,
    host,
)
from ansible_collections.agentkeep.agents.plugins.module_utils._state import (
    deployment as place,
)

FoundPath = host.FoundPath
Passed = host.Passed

UNUSABLE = [
    (None, "there is no allowlist at"),  # C01
    ("{", "it is no JSON"),  # C02
    ('{"allowed_roots": [{"path": "/a", "mode": "rw"}]}', '"mode"'),  # C03
]


@pytest.mark.parametrize(("allowlist", "why"), UNUSABLE)
def test_without_an_allowlist_nothing_is_allowed(
    allowlist: str | None, why: str, params: dict[str, Any], kit: Any
) -> None:
    """C01, C02, C03: refused with the reason, and read anew at the next run."""
    one = kit.FakeHost(allowlist=allowlist)
    mount = {"source": "/srv/docs/a"}

    assert why in kit.reason(kit.asked(params, one, mount))

    one.allowlist = json.dumps({"allowed_roots": kit.roots})
    assert len(kit.asked(params, one, mount).mounts) == 1


LOOSE: list[tuple[dict[str, Any], str]] = [
    ({"uid": 20101}, "belongs to uid 20101"),
    ({"mode": 0o664}, "others may write to"),
    ({"mode": 0o646}, "others may write to"),
    ({"kind": "directory"}, "it is no file"),
    ({"way": (Passed("/etc", 1000, 0, 0o755, 0),)}, '"/etc" belongs to uid 1000'),
    ({"way": (Passed("/etc", 0, 0, 0o777, 0),)}, 'others may write to "/etc"'),
    ({"fault": "it cannot be followed"}, "it cannot be followed"),
]


@pytest.mark.parametrize(("more", "why"), LOOSE)
def test_an_allowlist_that_others_could_write_is_not_used(
    more: dict[str, Any], why: str, params: dict[str, Any], kit: Any
) -> None:
    """C16: it must be root's alone."""
    one = kit.moved(
        kit.allowlist, kit.allowlist, **{"kind": "file", "mode": 0o644, **more}
    )

    assert why in kit.reason(kit.asked(params, one, {"source": "/srv/docs/a"}))


@pytest.mark.parametrize("mode", [0o600, 0o644])
def test_an_allowlist_of_root_is_used(
    mode: int, params: dict[str, Any], kit: Any
) -> None:
    """C16: readable for others or not."""
    one = kit.moved(kit.allowlist, kit.allowlist, kind="file", mode=mode)

    assert len(kit.asked(params, one, {"source": "/srv/docs/a"}).mounts) == 1


def test_a_refused_mount_ends_the_run_unless_it_is_skipped(
    params: dict[str, Any], kit: Any
) -> None:
    """C14: both choices."""
    mounts = [{"source": "/opt/a"}, {"source": "/srv/docs/a", "target": "b"}]

    skipped = kit.asked(params, kit.FakeHost(), *mounts)
    assert [mount.source for mount in skipped.mounts] == ["/srv/docs/a"]
    assert any("/opt/a" in warning for warning in skipped.warnings)
    with pytest.raises(MountRefused, match='Cannot mount "/opt/a" into main'):
        kit.asked(params, kit.FakeHost(), *mounts, operator_mounts_refused="fail")


def test_allowing_mounts_nothing_and_says_so(params: dict[str, Any], kit: Any) -> None:
    """C15: a root without a mount is named."""
    found = kit.asked(params, kit.FakeHost())

    assert found.mounts == ()
    assert sum("is used by no mount" in one for one in found.warnings) == len(kit.roots)


def test_a_missing_root_is_left_out(params: dict[str, Any], kit: Any) -> None:
    """C06: with a warning; the others count."""
    one = kit.moved("/srv/projects", "/srv/projects", kind="missing")

    found = kit.asked(params, one, {"source": "/srv/docs/a"})

    assert len(found.mounts) == 1
    assert 'The allowed root "/srv/projects" does not exist' in found.warnings[0]


def test_a_broken_allowlist_without_mounts_is_a_warning(
    params: dict[str, Any], kit: Any
) -> None:
    """C02: it is said before somebody needs it."""
    assert "it is no JSON" in kit.asked(params, kit.FakeHost(allowlist="{")).warnings[0]
    assert kit.asked(params, kit.FakeHost(allowlist=None)).warnings == ()


def test_mount_targets_do_not_meet(params: dict[str, Any], kit: Any) -> None:
    """B05: two mounts with one target are refused, and so is one inside another."""
    deployment = place.Deployment.from_params({**params, "data_root": "/srv/agentkeep"})
    same = [{"source": "/srv/docs/a"}, {"source": "/srv/projects/a"}]
    inside = [{"source": "/srv/docs/a"}, {"source": "/srv/docs/b", "target": "a/b"}]

    with pytest.raises(MountRefused, match="has the same target"):
        effective.mounts_of(deployment, kit.asked(params, kit.FakeHost(), *same))
    with pytest.raises(MountRefused, match="holds its target"):
        effective.mounts_of(deployment, kit.asked(params, kit.FakeHost(), *inside))
    with pytest.raises(MountRefused, match='the mount "memory" at "/data/memory"'):
        effective.mounts_of(
            deployment,
            kit.asked(params, kit.FakeHost(), same[0], operator_prefix="/data/memory"),
        )


def test_no_mount_holds_the_allowlist(params: dict[str, Any], kit: Any) -> None:
    """C16: neither an operator's nor one of the inventory."""
    deployment = place.Deployment.from_params({**params, "data_root": "/srv/agentkeep"})
    path = "/srv/agentkeep/demo/shared/sockets/allowlist.json"
    found = kit.asked(params, kit.FakeHost(), allowlist_file=path)

    with pytest.raises(MountRefused, match=f'the allowlist "{path}" lies in it'):
        effective.mounts_of(deployment, found)


def test_an_inventory_needs_no_allowlist(params: dict[str, Any], kit: Any) -> None:
    """B15: what the inventory declares is mounted without one."""
    deployment = place.Deployment.from_params(params)

    found = effective.mount_list(params, deployment, kit.FakeHost(allowlist=None))

    assert len(found.mounts) == 6
    assert (found.refused, found.warnings) == ((), ())


def test_another_program_may_nest_an_operators_mount(
    params: dict[str, Any], kit: Any
) -> None:
    """B08: where its containers have it, the list has it too."""
    params["managed"] = False
    own = place.Deployment.from_params({**params, "data_root": "/srv/agentkeep"})
    mount = {"source": "/srv/docs/a"}

    found = kit.asked(
        params, kit.FakeHost(), mount, operator_prefix="/data/memory/extra"
    )

    targets = [one.target for one in effective.mounts_of(own, found).mounts]
    assert "/data/memory/extra/a" in targets


def test_a_data_root_behind_a_link_is_guarded_where_it_is(
    params: dict[str, Any], kit: Any
) -> None:
    """C16: the allowlist in it is found, and what is below it is no mount."""
    one = kit.moved("/srv/agentkeep", "/volume/state")
    path = "/volume/state/demo/shared/sockets/list.json"
    one.paths[path] = FoundPath(path, path, "file", mode=0o600, way=kit.way)
    own = place.Deployment.from_params({**params, "data_root": "/srv/agentkeep"})
    one.paths["/srv/docs/a"] = FoundPath(
        "/srv/docs/a", "/volume/state/x", "directory", way=kit.way
    )
    mount = {"source": "/srv/docs/a"}

    assert 'lies in "/volume/state"' in kit.reason(kit.asked(params, one, mount))
    one.allowlist = None
    with pytest.raises(MountRefused, match="the allowlist"):
        effective.mounts_of(own, kit.asked(params, one, allowlist_file=path))
