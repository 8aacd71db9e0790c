# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Files that a deployment puts into its entries."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.agentkeep.agents.plugins.module_utils._containers import (
    files,
)
from ansible_collections.agentkeep.agents.plugins.module_utils._errors import (
    InvalidInput,
)

DeclaredFile = files.DeclaredFile


def test_a_file_is_read_and_its_content_is_not_shown() -> None:
    """D10: content may be a secret."""
    found = DeclaredFile.from_params(
        {"entry": "secrets", "name": "keys/api", "content": "canary", "mode": "0600"}
    )

    assert (found.policy, found.mode, found.directory) == ("replace", 0o600, "keys")
    assert "canary" not in repr(found)


def test_a_generated_token_has_at_least_128_bits() -> None:
    """D12: the shortest length of 64 characters each."""
    shortest = {"entry": "a", "name": "b", "policy": "generate", "length": 22}

    assert DeclaredFile.from_params(shortest).length * 6 >= 128
    with pytest.raises(InvalidInput, match="length is 21"):
        DeclaredFile.from_params({**shortest, "length": 21})


REFUSED = [
    ({"name": "../x", "content": ""}, 'holds ".."'),
    ({"name": "/x", "content": ""}, "is absolute"),
    ({"name": "x"}, "it has no content"),
    ({"name": "x", "content": {"a": 1}}, "of type dict"),
    ({"name": "x", "content": "", "policy": "append"}, "policy is 'append'"),
    ({"name": "x", "content": "", "policy": "generate"}, "generated and has content"),
    ({"name": "x", "content": "", "renew": True}, "renewed and not generated"),
    ({"name": "x", "content": "", "live": "often"}, "live is 'often'"),
    ({"name": "x", "content": "", "policy": "keep", "live": True}, "written only once"),
    ({"name": "x", "content": "", "mode": "0666"}, "lets everybody write"),
    ({"name": "x", "content": "", "mode": 640}, "mode 640"),
    ({"name": "x", "content": "", "own": "a"}, 'the unknown key "own"'),
    ({"content": ""}, 'it has no "name"'),
    ({"name": "x", "content": "", "generated": "a/b"}, 'no "{generated}"'),
]


@pytest.mark.parametrize(("more", "why"), REFUSED)
def test_a_file_that_cannot_be_written_is_refused(
    more: dict[str, Any], why: str
) -> None:
    with pytest.raises(InvalidInput) as caught:
        DeclaredFile.from_params({"entry": "settings", **more})

    assert why in str(caught.value)


def test_a_file_is_declared_once() -> None:
    one = {"entry": "a", "name": "b", "content": ""}

    with pytest.raises(InvalidInput, match="it is declared twice"):
        files.files_of([one, one])
    assert len(files.files_of([one, {**one, "agent": "main"}])) == 2


def test_a_file_holds_the_token_of_one_that_is_generated() -> None:
    """D10: of no other, which would be put in as it is."""
    password = {"entry": "redis-secrets", "name": "password", "policy": "generate"}
    address = {
        "entry": "settings",
        "name": "redis_url",
        "content": "redis://:{generated}@redis:6379/0",
        "generated": "redis-secrets/password",
    }

    found = files.files_of([address, password])

    assert [one.generated for one in found] == ["redis-secrets/password", None]
    for other in ([], [{**password, "policy": "keep", "content": "x"}]):
        with pytest.raises(InvalidInput, match="which is not generated"):
            files.files_of([address, *other])
    of_an_agent = [{**password, "agent": "main"}, {**address, "agent": "other"}]
    with pytest.raises(InvalidInput, match="which is not generated"):
        files.files_of(of_an_agent)
