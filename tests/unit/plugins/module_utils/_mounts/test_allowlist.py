# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""The allowlist's file: what it may hold, and what its patterns block."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.agentkeep.agents.plugins.module_utils._mounts import (
    allowlist,
)

Allowlist = allowlist.Allowlist
blocked_part = allowlist.blocked_part


def test_roots_are_read_and_writing_is_not_allowed_by_default() -> None:
    """C11: only a root that says so allows writing."""
    text = json.dumps(
        {
            "allowed_roots": [
                {"path": "/srv/a"},
                {"path": "/srv/b", "allow_read_write": True, "description": "B"},
            ]
        }
    )

    found = Allowlist.from_text(text)

    assert [(root.path, root.allow_read_write) for root in found.roots] == [
        ("/srv/a", False),
        ("/srv/b", True),
    ]


MALFORMED: list[tuple[Any, str]] = [
    ("{", "it is no JSON"),
    ("", "it is no JSON"),
    ([], "it is [], not a mapping"),
    ({"allowed_roots": {}}, "allowed_roots is {}, not a list"),
    ({"blocked_patterns": "x"}, "blocked_patterns is 'x', not a list"),
    ({"allowedRoots": []}, 'the unknown key "allowedRoots"'),  # C03
    ({"allowed_roots": ["/srv"]}, "is '/srv', not a mapping"),
    ({"allowed_roots": [{"path": "srv"}]}, "is not absolute"),
    ({"allowed_roots": [{"path": "~/x"}]}, "is not absolute"),
    ({"allowed_roots": [{"path": "/"}]}, "the whole file system"),
    ({"allowed_roots": [{"path": "/a/../b"}]}, 'holds ".."'),
    ({"allowed_roots": [{}]}, "None is not a path"),
    ({"allowed_roots": [{"path": "/a", "mode": "rw"}]}, 'unknown key "mode"'),  # C03
    ({"allowed_roots": [{"path": "/a", "readOnly": False}]}, '"readOnly"'),  # C03
    (
        {"allowed_roots": [{"path": "/a", "nonMainReadOnly": True}]},
        "the keys are path, allow_read_write, description",
    ),  # C03
    ({"allowed_roots": [{"path": "/a", "allow_read_write": "yes"}]}, "is 'yes'"),
    ({"allowed_roots": [{"path": "/a", "description": 1}]}, "description is 1"),
    ({"blocked_patterns": [""]}, "a blocked pattern is ''"),
    ({"blocked_patterns": ["a/b"]}, "a blocked pattern is 'a/b'"),
]


@pytest.mark.parametrize(("content", "why"), MALFORMED)
def test_an_allowlist_that_cannot_be_used_says_why(content: Any, why: str) -> None:
    """C02, C03: the reason has the parser's words, or the keys that there are."""
    text = content if isinstance(content, str) else json.dumps(content)

    with pytest.raises(allowlist.Malformed) as caught:
        Allowlist.from_text(text)

    assert why in str(caught.value)


@pytest.mark.parametrize("pattern", allowlist.DEFAULT_PATTERNS)
def test_a_default_pattern_blocks_anywhere_and_cannot_be_removed(pattern: str) -> None:
    """C07: whatever an allowlist says."""
    found = Allowlist.from_text(json.dumps({"blocked_patterns": ["private"]}))

    assert blocked_part(f"/srv/{pattern}", found.patterns) == (pattern, pattern)
    assert blocked_part(f"/srv/{pattern}/x/y", found.patterns)
    assert blocked_part("/srv/private/x", found.patterns) == ("private", "private")


PARTS = [
    ("/srv/.env", True),
    ("/srv/.ENV", True),
    ("/srv/.environment", False),
    ("/srv/my.env", False),
    ("/srv/credentials/x", True),
    ("/srv/my-credentials-docs", False),
    ("/srv/id_rsa.pub", False),
    ("/srv/keys/id_rsa", True),
    ("/srv/x.pem", True),
    ("/srv/x.pem.txt", False),
]


@pytest.mark.parametrize(("path", "blocked"), PARTS)
def test_a_pattern_blocks_whole_parts(path: str, blocked: bool) -> None:
    """C08: a part must equal the pattern; a part of a part is not enough."""
    patterns = (*allowlist.DEFAULT_PATTERNS, "*.pem")

    assert (blocked_part(path, patterns) is not None) is blocked
