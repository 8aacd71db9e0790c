# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""How the service is reached."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible_collections.agentkeep.agents.plugins.module_utils._client import Connection
from ansible_collections.agentkeep.agents.plugins.module_utils._errors import (
    InvalidInput,
)

TOKEN = "a-token-of-the-test"


def connection(path: Path, **change: Any) -> Connection:
    """Return the connection with the token of a file."""
    return Connection.from_params(
        {
            "url": "http://127.0.0.1:8700",
            "api_token": "",
            "api_token_file": str(path),
            "validate_certs": True,
            "use_proxy": False,
            "timeout_seconds": 1,
            **change,
        }
    )


def test_token_is_read_from_its_file_and_not_shown(tmp_path: Path) -> None:
    """D10: it is in no option, and so in no result."""
    (tmp_path / "token").write_text(f"{TOKEN}\n")

    found = connection(tmp_path / "token")

    assert found.api_token == TOKEN
    assert TOKEN not in repr(found)


@pytest.mark.parametrize(
    ("content", "change", "says"),
    [
        ("two\nlines", {}, 'Cannot use api_token_file ".*": it has more than one line'),
        (None, {}, "No such file or directory. Set it to the file"),
        (TOKEN, {"api_token": TOKEN}, "api_token is set too. Set only one"),
    ],
)
def test_token_file_that_cannot_be_used_is_named(
    tmp_path: Path, content: str | None, change: dict[str, Any], says: str
) -> None:
    if content is not None:
        (tmp_path / "token").write_text(content)

    with pytest.raises(InvalidInput, match=says):
        connection(tmp_path / "token", **change)


def test_token_file_that_is_a_link_is_refused(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(TOKEN)
    (tmp_path / "token").symlink_to(tmp_path / "secret")

    with pytest.raises(InvalidInput, match="Cannot read api_token_file"):
        connection(tmp_path / "token")
