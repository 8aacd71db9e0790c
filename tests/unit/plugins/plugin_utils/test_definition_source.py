# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""The directories of the controller, as the action plugin of definition reads them."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest
from ansible_collections.agentkeep.agents.plugins.plugin_utils.definition_source import (  # noqa: E501
    SourceRefused,
    covered,
    read_files,
)


def test_files_are_read_with_their_paths_and_their_executable_bit(
    tmp_path: Path,
) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "CLAUDE.md").write_bytes(b"\xff text")
    (tmp_path / "bin/look").write_text("#!/bin/sh")
    (tmp_path / "bin/look").chmod(0o755)
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git/config").write_text("left out")

    found = dict(read_files(str(tmp_path), "Cannot"))

    assert found == {
        "CLAUDE.md": {
            "base64": base64.b64encode(b"\xff text").decode(),
            "executable": False,
        },
        "bin/look": {
            "base64": base64.b64encode(b"#!/bin/sh").decode(),
            "executable": True,
        },
    }


def test_a_link_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "passwd").symlink_to("/etc/passwd")

    with pytest.raises(SourceRefused, match=r"passwd.*is a link"):
        dict(read_files(str(tmp_path), "Cannot"))


def test_too_many_files_are_refused(tmp_path: Path) -> None:
    for number in range(501):
        (tmp_path / str(number)).touch()

    with pytest.raises(SourceRefused, match="more than 500 files"):
        dict(read_files(str(tmp_path), "Cannot read this"))


def test_no_result_tells_the_settings_of_a_webhook() -> None:
    """J14: with more output asked for, Ansible shows the options of a module."""
    options = {
        "purge": False,
        "webhooks": [{"name": "github", "settings": {"secret": "hush"}}, "hush"],
    }

    told = covered({"changed": True, "invocation": {"module_args": options}})

    assert "hush" not in str(told)
    assert told["invocation"]["module_args"]["webhooks"][0]["name"] == "github"
    assert covered({"failed": True}) == {"failed": True}
