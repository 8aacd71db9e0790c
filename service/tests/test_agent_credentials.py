# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""The state of the CLI's own sign-in, from the file that it reads."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from boots import settings_in

from agentd.agent.credentials import credentials_status
from agentd.credentials.status import CredentialsStatus, status_of

NOW = 1_000_000.0


def oauth(**values: object) -> dict[str, object]:
    """Return the file's content with these values."""
    return {"claudeAiOauth": {"accessToken": "token", **values}}


@pytest.mark.parametrize(
    ("value", "status"),
    [
        (oauth(), "valid"),
        (oauth(expiresAt=None), "valid"),
        (oauth(expiresAt=(NOW + 3600) * 1000), "valid"),
        (oauth(expiresAt=(NOW + 1799) * 1000), "refresh_needed"),
        (oauth(expiresAt=(NOW + 1800) * 1000), "valid"),
        (oauth(expiresAt=NOW * 1000), "expired"),
        (oauth(expiresAt=0), "expired"),
        (oauth(expiresAt=10**400), "signed_out"),
        (oauth(expiresAt=float("nan")), "signed_out"),
        (oauth(expiresAt="soon"), "signed_out"),
        (oauth(expiresAt=True), "signed_out"),
        (oauth(accessToken=""), "signed_out"),
        (oauth(accessToken=None), "signed_out"),
        ({"claudeAiOauth": []}, "signed_out"),
        ({}, "signed_out"),
        ([], "signed_out"),
    ],
)
def test_each_content_has_one_state(value: object, status: str) -> None:
    """P11."""
    assert status_of(value, NOW).status == status


def test_the_end_is_told_in_seconds() -> None:
    assert status_of(oauth(expiresAt=9_000_000), 1.0).expires_at == 9_000.0


def test_the_gateways_agents_need_no_sign_in(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)

    assert credentials_status(settings, NOW) == CredentialsStatus("not_used")


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        ("none", "missing"),
        ("torn", "signed_out"),
        ("fifo", "signed_out"),
        ("link", "signed_out"),
        ("deep", "signed_out"),
        ("good", "valid"),
    ],
)
def test_the_file_is_read_without_trust(tmp_path: Path, kind: str, status: str) -> None:
    settings = settings_in(tmp_path, sign_in="direct")
    path = Path(settings.credentials_directory) / ".credentials.json"
    path.parent.mkdir()
    (tmp_path / "elsewhere").write_text(json.dumps(oauth()))
    if kind == "torn":
        path.write_text('{"claudeAiOauth": {"acc')
    elif kind == "deep":
        path.write_text("[" * 60_000)
    elif kind == "fifo":
        os.mkfifo(path)
    elif kind == "link":
        path.symlink_to(tmp_path / "elsewhere")
    elif kind == "good":
        path.write_text(json.dumps(oauth()))

    assert credentials_status(settings, NOW).status == status
