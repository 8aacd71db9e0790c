# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""An entry of the state inventory is refused with a sentence that helps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from ansible_collections.agentkeep.agents.plugins.module_utils._errors import (
    InvalidInventory,
)
from ansible_collections.agentkeep.agents.plugins.module_utils._state.entry import (
    Entry,
)

MOUNT = {"component": "agent", "target": "/data/memory", "access": "rw"}
VALID: dict[str, Any] = {
    "name": "memory",
    "scope": "agent",
    "source": "memory",
    "owner": "agent",
    "mode": "0750",
    "mounts": [MOUNT],
    "kind": "workspace",
    "backup": "files",
}


@dataclass(frozen=True)
class Row:
    """One change to a valid entry and what the refusal must say."""

    change: dict[str, Any]
    says: str


ROWS = [
    Row({"colour": "red"}, 'the key "colour" is unknown'),
    Row({"mode": None}, 'it has no "mode"'),
    Row({"mode": 488}, "mode 488 is not text"),
    Row({"mode": "rwx"}, "mode 'rwx' is not text"),
    Row({"mode": "0980"}, "mode '0980' is not text"),
    Row({"mode": "4750"}, 'mode "4750" has the set-user-id'),
    Row({"mode": "0777"}, 'mode "0777" lets everybody write'),
    Row({"owner": "no body"}, "owner is 'no body'"),
    Row({"owner": "1000"}, "owner is '1000'"),
    Row({"owner": "5000000000:1"}, "owner is '5000000000:1'"),
    Row({"owner": 1000}, "owner is 1000"),
    Row({"group": "Wheel"}, "group is 'Wheel'"),
    Row({"group": -1}, "group is -1"),
    Row({"scope": "host"}, "scope is 'host'"),
    Row({"kind": "stuff"}, "kind is 'stuff'"),
    Row({"backup": "tar"}, "backup is 'tar'"),
    Row({"source": "/memory"}, 'source "/memory" is absolute'),
    Row({"source": "../memory"}, 'source "../memory" holds ".."'),
    Row({"source": "a/../../b"}, 'holds ".."'),
    Row({"source": "a//b"}, 'source "a//b" holds a part'),
    Row({"source": "a\0b"}, r'source "a\x00b" holds a NUL'),
    Row({"source": "{db,config}"}, 'source "{db,config}" holds a part'),
    Row({"source": ""}, "source '' is not a path"),
    Row({"volume": "data"}, "it has source and volume"),
    Row({"source": None}, "it has no place"),
    Row({"directories": "skills"}, "directories is 'skills'"),
    Row({"directories": ["../x"]}, 'the directory "../x" holds ".."'),
    Row({"directories": [["x"]]}, "the directory ['x'] is not a path"),
    Row({"optional": "yes"}, "optional is 'yes'"),
    Row({"purpose": 3}, "purpose is 3"),
    Row({"mounts": {"component": "agent"}}, "mounts is {"),
    Row({"mounts": ["/data"]}, "a mount is '/data', not a mapping"),
    Row({"mounts": [{**MOUNT, "mode": "rw"}]}, 'a mount has the unknown key "mode"'),
    Row({"mounts": [{"component": "agent"}]}, 'a mount has no "target"'),
    Row({"mounts": [{**MOUNT, "component": "X"}]}, "a mount has the component 'X'"),
    Row(
        {"mounts": [{**MOUNT, "component": "root"}]},
        "a mount has the component 'root'",
    ),
    Row({"form": "pipe"}, "form is 'pipe'"),
    Row({"origin": "us"}, "origin is 'us'"),
    Row({"form": "file"}, "can be replaced by nobody who sees it"),
    Row({"form": "file", "directories": ["a"]}, "it is a file but has no source"),
    Row({"mounts": [{**MOUNT, "access": "read"}]}, "a mount has the access 'read'"),
    Row({"mounts": [{**MOUNT, "target": "data"}]}, '"data" is not absolute'),
    Row({"mounts": [{**MOUNT, "target": "/a/../b"}]}, '"/a/../b" holds ".."'),
    Row({"mounts": [{**MOUNT, "target": "/a\0b"}]}, "holds a NUL"),
    Row({"mounts": [{**MOUNT, "target": "/a/"}]}, '"/a/" is not in its shortest form'),
    Row({"mounts": [{**MOUNT, "target": "/"}]}, "is the whole file system"),
    Row({"scope": "deployment"}, 'it belongs to "agent:agent" but is shared'),
    Row({"mounts": [{**MOUNT, "component": "control"}]}, "but control mounts it"),
]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.says)
def test_entry_with_a_fault_is_refused_by_name(row: Row) -> None:
    with pytest.raises(InvalidInventory) as refusal:
        Entry.from_params({**VALID, **row.change}, 0)

    assert str(refusal.value).startswith(
        'Cannot use entry "memory" of the state inventory: '
    )
    assert row.says in str(refusal.value)


@pytest.mark.parametrize("name", [None, "", "-x", "Memory", "a" * 33, "a/b", "a\n", 7])
def test_entry_with_a_bad_name_is_refused_by_number(name: object) -> None:
    """B16: an id that could leave its directory is refused."""
    with pytest.raises(InvalidInventory, match='entry "number 3"'):
        Entry.from_params({**VALID, "name": name}, 2)


def test_entry_that_is_no_mapping_is_refused_by_number() -> None:
    with pytest.raises(InvalidInventory, match=r"number 1.*it is .memory."):
        Entry.from_params("memory", 0)


def test_volume_with_directories_is_refused() -> None:
    params = {**VALID, "source": None, "volume": "data", "directories": ["a"]}

    with pytest.raises(InvalidInventory, match="it is a volume and has directories"):
        Entry.from_params(params, 0)


def test_within_needs_the_scope_agent() -> None:
    params = {
        **VALID,
        "scope": "deployment",
        "owner": "control",
        "source": None,
        "within": "sockets",
    }

    with pytest.raises(InvalidInventory, match='it is within "sockets" but there is'):
        Entry.from_params(params, 0)


def test_valid_entry_becomes_a_value() -> None:
    entry = Entry.from_params({**VALID, "mode": "2750", "group": "1234"}, 0)

    assert (entry.mode, entry.owner.user, entry.owner.group) == (0o2750, "agent", 1234)
    assert [mount.for_output() for mount in entry.mounts] == [MOUNT]
    assert entry.optional is False


def test_credentials_as_a_single_file_are_refused() -> None:
    """B09: a file that is replaced by renaming stays the old one in the container."""
    change = {"form": "file", "kind": "credentials"}

    with pytest.raises(InvalidInventory, match="replaced by renaming"):
        Entry.from_params({**VALID, **change}, 0)


def test_a_source_may_hold_names_and_no_other_braces() -> None:
    """A03: braces are placeholders, or they are refused."""
    entry = Entry.from_params({**VALID, "source": "v2/{group}/skill-data"}, 0)

    assert entry.source == "v2/{group}/skill-data"


def test_an_entry_can_depend_on_its_source() -> None:
    entry = Entry.from_params({**VALID, "optional": "when_present"}, 0)

    assert (entry.optional, entry.when_present) == (False, True)
