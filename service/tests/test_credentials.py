# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""What is taken as a key or a sign-in, and that no word of it is ever shown."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path
from typing import Any

import pytest

from agentd.credentials.credential import (
    MAX_BYTES,
    Credential,
    of_secret,
    parse_credential,
    read_credential,
)
from agentd.credentials.kept import KeptUnusable, clear_drafts, drop, keep, read_kept
from agentd.errors import CredentialsRefused

NOW = 1_800_000_000.0
TOKEN = "sk-ant-oat01-canary"
LATER = (NOW + 3600) * 1000


def file(**values: object) -> dict[str, object]:
    """Return what the CLI's file holds, plain."""
    return {"accessToken": TOKEN, "expiresAt": LATER, **values}


@pytest.mark.parametrize(
    ("value", "kind", "ends"),
    [
        ({"api_key": "sk-ant-api03-canary"}, "api_key", None),
        ({"api_key": "of-another-gateway"}, "api_key", None),
        ({"oauth_token": TOKEN}, "oauth", None),
        (file(), "oauth", NOW + 3600),
        (file(expiresAt=None), "oauth", None),
        (
            file(refreshToken="sk-ant-ort01-x", scopes=["a"], other=1),
            "oauth",
            NOW + 3600,
        ),
        ({"claudeAiOauth": file(), "mcpOAuth": {}}, "oauth", NOW + 3600),
    ],
)
def test_each_form_is_taken(value: object, kind: str, ends: float | None) -> None:
    """P09: plain or wrapped, and what is beside it is left."""
    found = parse_credential(value, NOW)

    assert (found.kind, found.expires_at) == (kind, ends)
    assert "canary" not in repr(found)
    assert "mcpOAuth" not in found.sign_in


REFUSED: list[tuple[Any, str]] = [
    ([], "no JSON object"),
    ({}, "neither api_key nor oauth_token nor an accessToken"),
    ({"claudeAiOauth": [TOKEN]}, "neither api_key"),
    ({"claudeAiOauth": {"claudeAiOauth": file()}}, "neither api_key"),
    ({"api_key": "sk-ant-api03-x", "oauth_token": TOKEN}, "api_key and oauth_token"),
    ({"api_key": TOKEN}, "Send it as oauth_token"),
    ({"api_key": "sk-ant-api03-x", "agnet": "canary"}, "it holds more than api_key"),
    ({"oauth_token": TOKEN, "claudeAiOauth": {}}, "oauth_token and claudeAiOauth"),
    ({"api_key": "sk-ant-ort01-canary"}, "token of a sign-in"),
    ({"oauth_token": "sk-ant-api03-canary"}, "Send it as api_key"),
    ({"oauth_token": "sk-ant-ort01-canary"}, "refresh token"),
    (file(accessToken="sk-ant-api03-canary"), "Send it as api_key"),
    ({"api_key": "canary"}, "8 to 4096 letters"),
    ({"api_key": "canary canary"}, "8 to 4096 letters"),
    ({"api_key": "canary\r\nx-other: 1"}, "8 to 4096 letters"),
    ({"api_key": "canaré-canary"}, "8 to 4096 letters"),
    ({"api_key": "c" * 4097}, "8 to 4096 letters"),
    ({"api_key": None}, "8 to 4096 letters"),
    ({"api_key": {"canary": 1}}, "8 to 4096 letters"),
    (file(refreshToken=7), "refreshToken is no text"),
    (file(expiresAt=NOW * 1000), "it expired at 2027-01-15T08:00:00+00:00"),
    (file(expiresAt=-1), "it expired at 1970"),
    (file(expiresAt="soon"), "no number of milliseconds"),
    (file(expiresAt=True), "no number of milliseconds"),
    (file(expiresAt=float("nan")), "is no time"),
    (file(expiresAt=10**400), "is no time"),
]


@pytest.mark.parametrize(("value", "why"), REFUSED)
def test_what_cannot_be_used_is_refused_without_being_quoted(
    value: object, why: str
) -> None:
    """P09, J14."""
    with pytest.raises(CredentialsRefused) as caught:
        parse_credential(value, NOW)

    assert why in str(caught.value)
    assert "canary" not in str(caught.value)


def test_what_is_kept_is_json_for_every_reader() -> None:
    """P10: the CLI reads no NaN, and would take its whole file for none."""
    content = b'{"accessToken": "canary-8", "a": NaN, "b": [1, -1e999], "c": 1.5}'

    found = read_credential(content, NOW)

    assert found.sign_in == {"accessToken": "canary-8", "c": 1.5}
    assert json.dumps(found.document(), allow_nan=False)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b'{"api_key": "canary', "no JSON"),
        (b"\xff\xfe", "no JSON"),
        (b"[" * 60_000, "no JSON"),
        (b" " * (MAX_BYTES + 1), "larger than"),
    ],
)
def test_a_document_that_is_none_is_refused(content: bytes, why: str) -> None:
    with pytest.raises(CredentialsRefused) as caught:
        read_credential(content, NOW)

    assert why in str(caught.value)


def test_a_text_alone_is_a_key_or_a_token_by_its_beginning() -> None:
    assert of_secret("sk-ant-api03-x") == Credential("api_key", "sk-ant-api03-x")
    assert of_secret(TOKEN).kind == "oauth"


def test_a_kept_file_is_its_owners_alone_whatever_was_there(tmp_path: Path) -> None:
    """P09: 0600 in 0700, and a link in its place is replaced, not followed."""
    place = tmp_path / "credentials"
    place.mkdir(mode=0o755)
    (tmp_path / "elsewhere").write_text("untouched")
    (place / "file").symlink_to(tmp_path / "elsewhere")
    before = os.umask(0)
    try:
        keep(place, "file", b"content")
    finally:
        os.umask(before)

    assert stat.S_IMODE(os.lstat(place / "file").st_mode) == 0o600
    assert stat.S_IMODE(place.stat().st_mode) == 0o700
    assert (tmp_path / "elsewhere").read_text() == "untouched"
    assert read_kept(place, "file", 7) == b"content"
    assert os.listdir(place) == ["file"]
    with pytest.raises(KeptUnusable, match="larger than 6 bytes"):
        read_kept(place, "file", 6)
    assert (drop(place, "file"), drop(place, "file")) == (True, False)
    assert read_kept(place, "file", 7) is None


def test_a_write_that_fails_leaves_what_was_there(tmp_path: Path) -> None:
    place = tmp_path / "credentials"
    place.mkdir()
    (place / "file").mkdir()

    with pytest.raises(OSError, match="directory"):
        keep(place, "file", b"content")

    assert os.listdir(place) == ["file"]


def test_what_a_kill_left_of_a_write_is_removed(tmp_path: Path) -> None:
    left = tmp_path / ".file.0123456789abcdef"
    left.write_text(json.dumps({"api_key": "canary"}))
    (tmp_path / ".other.0123456789abcdef").touch()

    clear_drafts(tmp_path, "file")

    assert os.listdir(tmp_path) == [".other.0123456789abcdef"]
