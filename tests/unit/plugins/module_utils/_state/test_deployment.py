# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""A deployment keeps its containers apart and knows where their state lies."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from ansible_collections.agentkeep.agents.plugins.module_utils._errors import (
    InvalidInput,
)
from ansible_collections.agentkeep.agents.plugins.module_utils._state import (
    deployment as place,
)

Deployment = place.Deployment


@dataclass(frozen=True)
class Row:
    """One change to valid options and what the refusal must say."""

    change: dict[str, Any]
    says: str


def agents(*declared: object) -> dict[str, Any]:
    """Return the change to these agents."""
    return {"agents": list(declared)}


def components(control: dict[str, Any], gateway: dict[str, Any]) -> dict[str, Any]:
    """Return the change to these components."""
    return {"components": {"control": control, "gateway": gateway}}


ROWS = [
    Row({"data_root": "state"}, '"state" is not absolute'),
    Row({"data_root": "/srv/../etc"}, '"/srv/../etc" holds ".."'),
    Row({"data_root": "/"}, "is the whole file system"),
    Row({"deployment": "Demo"}, '"Demo" does not consist of'),
    Row({"deployment": "../x"}, '"../x" does not consist of'),
    Row({"uid_offset": -1}, "-1 is not between 0 and"),
    Row({"uid_offset": 4294967290}, "has only the uids 0 to 4"),
    Row(agents({"name": "a/b", "uid": 5}), '"a/b" does not consist of'),
    Row(agents({"name": "-a", "uid": 5}), '"-a" does not consist of'),
    Row(agents({"name": "a\0", "uid": 5}), r'"a\x00" does not consist of'),
    Row(agents({"name": "a"}), 'Cannot use the uid of agent "a": None is not'),
    Row(agents({"name": "a", "uid": 0}), 'uid of agent "a": 0 is root'),
    Row(agents({"name": "a", "uid": 5, "gid": 0}), 'gid of agent "a": 0 is root'),
    Row(agents({"name": "a", "uid": True}), 'uid of agent "a": True is not'),
    Row(
        agents({"name": "a", "uid": 5}, {"name": "a", "uid": 6}),
        'Cannot use agent "a": it is declared twice',
    ),
    Row(
        agents({"name": "a", "uid": 5}, {"name": "b", "uid": 5}),
        'Cannot keep agent "b" apart from agent "a": both have the uid 5',
    ),
    Row(
        agents({"name": "a", "uid": 5}, {"name": "b", "uid": 6, "gid": 5}),
        'Cannot keep agent "b" apart from agent "a": both have the gid 5',
    ),
    Row(
        agents({"name": "a", "uid": 20001}),
        'Cannot keep agent "a" apart from control: both have the uid 20001',
    ),
    Row(
        components({"uid": 7}, {"uid": 7}),
        "Cannot keep gateway apart from control: both have the uid 7",
    ),
    Row(components({}, {"uid": 7}), "Cannot use the uid of control"),
    Row({"components": {}}, 'names the component "control", which is not declared'),
    Row({"components": "x"}, "Cannot use the components: they are 'x'"),
    Row({"components": {"Redis": {"uid": 7}}}, '"Redis" does not consist of'),
    Row({"components": {"agent": {"uid": 7}}}, '"agent" means something else'),
    Row({"components": {"redis": 7}}, '"redis" is 7'),
    Row(agents({"name": "a", "uid": 5, "lazy": "no"}), "lazy is 'no'"),
    Row(agents({"name": "a", "uid": 5, "enabled": 1}), "enabled is 1"),
    Row(agents({"name": "a", "uid": 5, "names": ["g"]}), "names is ['g']"),
    Row(agents({"name": "a", "uid": 5, "service": "x"}), "service is 'x'"),
    Row(
        agents({"name": "a", "uid": 5, "names": {"agent": "b"}}),
        "names has the key 'agent'",
    ),
    Row({"places": {"agent": "/{source}"}}, "is absolute"),
    Row({"places": {"agent": "{deployment}/x"}}, 'does not hold "{source}"'),
    Row({"places": {"agent_volume": "volume"}}, 'does not hold "{volume}"'),
    Row({"places": {"agents": "x"}}, "there is no such place"),
    Row(
        {"places": {"agent": "{deployment}/{group}/{source}"}},
        '"{group}" has no value',
    ),
    Row({"places": {"agent": "other/{agent}/{source}"}}, "outside the directory of"),
    Row(
        {"places": {"agent": "{deployment}/{source}"}},
        'entry "memory" and entry "memory" both lie there',
    ),
]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.says)
def test_deployment_with_a_fault_is_refused(params: dict[str, Any], row: Row) -> None:
    with pytest.raises(InvalidInput) as refusal:
        Deployment.from_params({**params, **row.change})

    assert row.says in str(refusal.value)


def owners(deployment: place.Deployment) -> dict[str, list[tuple[int, int]]]:
    """Return who owns each entry on the host."""
    return {
        entry.name: [
            deployment.ids(entry, agent)
            for agent in (deployment.agents if entry.scope == "agent" else (None,))
        ]
        for entry in deployment.inventory.entries
    }


def test_owner_is_the_container_that_uses_the_entry(params: dict[str, Any]) -> None:
    """A04: every directory belongs to the declared uid and gid."""
    deployment = Deployment.from_params({**params, "include_optional": ["org"]})

    assert owners(deployment) == {
        "memory": [(20101, 20101), (20102, 20102)],
        "sockets": [(0, 0)],
        "socket": [(20001, 20101), (20001, 20102)],
        "org": [(0, 0)],
        "queue": [(999, 999)],
    }


def test_offset_moves_every_owner_but_root(params: dict[str, Any]) -> None:
    deployment = Deployment.from_params(
        {**params, "include_optional": ["org"], "uid_offset": 100000}
    )

    assert owners(deployment) == {
        "memory": [(120101, 120101), (120102, 120102)],
        "sockets": [(0, 0)],
        "socket": [(120001, 120101), (120001, 120102)],
        "org": [(0, 0)],
        "queue": [(100999, 100999)],
    }


def test_places_follow_scope_and_within(params: dict[str, Any]) -> None:
    deployment = Deployment.from_params(params)

    places = {
        entry.name: [path for _agent, path in deployment.located(entry)]
        for entry in deployment.inventory.entries
        if entry.volume is None
    }

    assert places == {
        "memory": ["demo/agents/main/memory", "demo/agents/mail/memory"],
        "sockets": ["demo/shared/sockets"],
        "socket": ["demo/shared/sockets/main", "demo/shared/sockets/mail"],
    }


@pytest.mark.parametrize("group", ["a/b", "..", ".", "a\0", "-a", "", "a b", 7])
def test_a_name_that_could_leave_its_directory_is_refused(
    params: dict[str, Any], group: object
) -> None:
    """B16: a group id becomes one part of a path, or nothing."""
    named = agents({"name": "main", "uid": 5, "names": {"group": group}})

    with pytest.raises(InvalidInput, match="the name group is"):
        Deployment.from_params({**params, **named})


def test_places_are_named_by_what_the_system_calls_its_agents(
    params: dict[str, Any],
) -> None:
    params["inventory"] = [
        {
            **params["inventory"][0],
            "source": "v2/{group}/memory",
            "directories": [],
        },
        {**params["inventory"][-1], "name": "home", "volume": "home", "mounts": []},
    ]
    params["agents"] = [{"name": "main", "uid": 5, "names": {"group": "G_1"}}]
    params["places"] = {
        "agent": "data/{source}",
        "deployment_volume": "hooks-{volume}",
    }

    deployment = Deployment.from_params({**params, "managed": False})

    memory, home = deployment.inventory.entries
    assert [path for _agent, path in deployment.located(memory)] == [
        "data/v2/G_1/memory"
    ]
    assert deployment.volume(home, None) == "hooks-home"


def test_agents_of_another_program_may_share_an_id(params: dict[str, Any]) -> None:
    params["agents"] = [{"name": "a", "uid": 1000}, {"name": "b", "uid": 1000}]

    deployment = Deployment.from_params({**params, "managed": False})

    assert [agent.identity.uid for agent in deployment.agents] == [1000, 1000]


def test_agents_are_enabled_and_started_unless_declared_otherwise(
    params: dict[str, Any],
) -> None:
    params["agents"] = [
        {"name": "a", "uid": "5"},
        {"name": "b", "uid": 6, "enabled": False, "lazy": True},
    ]

    deployment = Deployment.from_params(params)

    assert [(one.enabled, one.lazy) for one in deployment.agents] == [
        (True, False),
        (False, True),
    ]
    assert deployment.container_ids("agent", deployment.agents[0]).uid == 5
    assert deployment.container_ids("control").gid == 20001


def test_a_mount_in_a_directory_that_a_container_writes_is_refused_across_scopes(
    params: dict[str, Any],
) -> None:
    """A09: it is the path that counts, however the templates come to it."""
    params["inventory"][1].update(owner="control", mode="0750")
    params["inventory"][2:3] = []
    params["places"] = {"agent": "{deployment}/shared/sockets/{agent}/{source}"}

    with pytest.raises(InvalidInput, match=r'"memory".*directory of entry "sockets"'):
        Deployment.from_params(params)
