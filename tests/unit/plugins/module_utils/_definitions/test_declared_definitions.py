# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""What the options of the module definition may declare."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from ansible_collections.agentkeep.agents.plugins.module_utils._definitions.declared import (  # noqa: E501
    fault_of_path,
    items_of,
)
from ansible_collections.agentkeep.agents.plugins.module_utils._errors import (
    InvalidInput,
)

Params = dict[str, Any]


def declared(**given: Any) -> Params:
    return {"definitions": [], "skills": [], "webhooks": [], **given}


def one(name: str = "reviewer", **given: Any) -> Params:
    files = {"CLAUDE.md": "You review."}
    return {"name": name, "files": files, "state": "present", **given}


def test_texts_and_binary_files_are_taken_with_their_modes() -> None:
    program = {"base64": base64.b64encode(b"\x00\x01").decode(), "executable": True}
    files = {"CLAUDE.md": "You review.", "bin/look": program}

    (item,) = items_of(declared(definitions=[one(files=files)]))

    assert item.files is not None
    assert item.place == "agents/reviewer"
    assert (item.files["CLAUDE.md"].mode, item.files["CLAUDE.md"].data) == (
        0o644,
        b"You review.",
    )
    assert (item.files["bin/look"].mode, item.files["bin/look"].data) == (
        0o755,
        b"\x00\x01",
    )


@pytest.mark.parametrize(
    "name",
    ["..", ".", "a/b", "a\\b", "a\0b", ".hidden", "", "Upper", "a..b", "x" * 65],
)
def test_names_that_could_escape_are_refused(name: str) -> None:
    """P03: the rule of names, for what is put in place and for what is removed."""
    for state in ("present", "absent"):
        with pytest.raises(InvalidInput, match="Cannot use the definition"):
            items_of(declared(definitions=[one(name, state=state)]))


@pytest.mark.parametrize(
    ("path", "fault"),
    [
        ("CLAUDE.md", None),
        (".claude/skills/x/SKILL.md", None),
        ("/etc/passwd", "absolute"),
        ("../x", "empty part"),
        ("a/../../x", "empty part"),
        ("a//b", "empty part"),
        ("a/./b", "empty part"),
        ("a\\b", "backslash"),
        ("a\nb", "cannot be printed"),
        ("a\u202eb", "cannot be printed"),
        (".agentkeep/definition.json", "of the service's own"),
        ("/".join("a" * 17), "too deep"),
        ("x" * 201, "too long"),
    ],
)
def test_paths_of_files_stay_below_their_directory(
    path: str, fault: str | None
) -> None:
    """P05: no file lies outside its definition."""
    found = fault_of_path(path)

    assert (found is None) if fault is None else (fault in str(found))


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"definitions": [one(files={"other.md": "x"})]}, "no CLAUDE.md at its root"),
        ({"skills": [one(files={"CLAUDE.md": "x"})]}, "no SKILL.md at its root"),
        ({"definitions": [one(), one()]}, "declared twice"),
        ({"definitions": [one("brain")]}, "means the agent's own directory"),
        (
            {
                "webhooks": [
                    {"name": "jira", "settings": {"a": "x" * 65536}, "state": "present"}
                ]
            },
            "65536 are the most",
        ),
        (
            {
                "definitions": [
                    one(
                        files={
                            "CLAUDE.md": "x",
                            **{
                                "/".join(f"{n}-{depth}" for depth in range(16)): "x"
                                for n in range(350)
                            },
                        }
                    )
                ]
            },
            "5601 files and directories",
        ),
        ({"definitions": [one(files=None)]}, "neither src nor files"),
        (
            {"definitions": [one(files={"CLAUDE.md": {"base64": "!"}})]},
            "neither a text",
        ),
        ({"definitions": [one(files={"CLAUDE.md": {"text": "x"}})]}, "neither a text"),
        ({"definitions": [one(files={"CLAUDE.md": None})]}, "neither a text"),
        (
            {"definitions": [one(files={"CLAUDE.md": "x", "CLAUDE.md/y": "x"})]},
            'is a file, and "CLAUDE.md/y" lies below it',
        ),
        (
            {"definitions": [one(files={"CLAUDE.md": "x" * (10 * 1024 * 1024 + 1)})]},
            "are the most",
        ),
        (
            {"definitions": [one(files={f"{n}": "x" for n in range(501)})]},
            "are the most",
        ),
        (
            {"webhooks": [{"name": "gitlab", "settings": {}, "state": "present"}]},
            "forgejo, github, jira only",
        ),
        (
            {"webhooks": [{"name": "github", "settings": None, "state": "present"}]},
            "no settings",
        ),
    ],
)
def test_what_cannot_be_put_in_place_is_refused_by_name(
    given: Params, reason: str
) -> None:
    """P04: incomplete, twice, too much: nothing is put in place."""
    with pytest.raises(InvalidInput, match=reason):
        items_of(declared(**given))


def test_settings_of_a_webhook_become_json_that_only_control_reads() -> None:
    settings = {"events": ["push"], "agent": "main"}

    (item,) = items_of(
        declared(
            webhooks=[{"name": "github", "settings": settings, "state": "present"}]
        )
    )

    assert item.place == "webhooks/github.json"
    assert item.files is not None
    assert item.files[""].mode == 0o600
    assert item.files[""].data.startswith(b'{\n  "agent": "main"')
