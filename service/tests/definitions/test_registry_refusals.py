# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Uploads and names that are refused over HTTP, with nothing left of them."""

from __future__ import annotations

from pathlib import Path

import httpx

from .test_registry_api import (
    AGENTS,
    WEBHOOKS,
    client,
    running,
    upload,
)

__all__ = ["client", "running"]

JSON = {"Content-Type": "application/json"}
NAMES = ("%2e%2e", "%2e", "A", "a%00b", "a%5cb", "x%0a")
PATHS = ("../CLAUDE.md", "/etc/x", "a/../../x", "..\\x", "a//b", ".agentkeep/x")
UPLOADS = (
    (b"{", "no JSON"),
    (b"[" * 100_000, "no JSON"),
    (b"[]", "other fields"),
    (b'{"name": "x"}', "it has no files"),
    (b'{"files": {"CLAUDE.md": "x"}}', "does not name its definition"),
    (b'{"name": 7, "files": {}}', "name is no text"),
    (b'{"name": "x", "files": {}, "more": 1}', "other fields"),
    (b'{"name": "x", "files": {"a": 1}}', "is neither"),
    (b'{"name": "x", "files": {"a": {"base64": "!"}}}', "not in base64"),
    (b'{"name": "x", "files": {"a": "\\ud800"}}', "is neither"),
    (b'{"name": "x", "files": {"a": "1", "a": "2"}}', "twice"),
    (b'{"name": "x", "files": {}}', "has no CLAUDE.md"),
    (b'{"name": "..", "files": {"CLAUDE.md": "x"}}', 'use ".." as the name'),
    (b'{"name": "brain", "files": {"CLAUDE.md": "x"}}', "own directory"),
)
SETTINGS = (
    ("gitlab", b"{}", 404),
    ("%2e%2e%2fx", b"{}", 404),
    ("github", b"[]", 400),
    ("github", b'{"secret": "********"}', 400),
    ("github", b'{"a": [{"token": "********"}]}', 400),
    ("github", b'{"a": NaN}', 400),
    ("github", b'{"a": "\\ud800"}', 400),
    ("github", b'{"a":' * 60 + b"{}" + b"}" * 60, 400),
    ("github", b'{"a": "' + b"x" * 70_000 + b'"}', 400),
)


async def test_no_name_in_an_address_leads_elsewhere(
    client: httpx.AsyncClient, tmp_path: Path
) -> None:
    """P03, P06: raw in the address, where a client would have it shortened."""
    await upload(client)
    for method in ("GET", "DELETE", "PUT"):
        content = b'{"files": {"CLAUDE.md": "x"}}' if method == "PUT" else b""
        for name in NAMES:
            answer = await client.request(
                method, f"{AGENTS}/{name}", content=content, headers=JSON
            )
            assert answer.status_code == 400, (method, name, answer.text)
        slashed = await client.request(
            method, f"{AGENTS}/..%2f..%2fagents", content=content, headers=JSON
        )
        assert slashed.status_code == 404, slashed.text

    held = sorted(path.name for path in (tmp_path / "definitions").iterdir())
    assert held == [".staging-agents", "agents"]


async def test_an_upload_that_is_none_is_refused_and_leaves_nothing(
    client: httpx.AsyncClient, tmp_path: Path
) -> None:
    """P04, P05."""
    for body, said in UPLOADS:
        answer = await client.post(f"{AGENTS}/upload", content=body, headers=JSON)

        assert answer.status_code == 400, (body[:80], answer.text)
        assert said in answer.json()["error"]
    assert list((tmp_path / "definitions").iterdir()) == []


async def test_no_file_of_a_form_is_put_elsewhere(
    client: httpx.AsyncClient, tmp_path: Path
) -> None:
    """P05."""
    for path in PATHS:
        form = [("files", ("CLAUDE.md", b"x")), ("files", (path, b"x"))]
        answer = await client.post("/api/agents/upload", data={"name": "x"}, files=form)

        assert answer.status_code == 400, (path, answer.text)
        assert "of the file" in answer.json()["error"]
    assert list((tmp_path / "definitions").iterdir()) == []


async def test_odd_forms_are_refused(client: httpx.AsyncClient) -> None:
    """P05: too many fields and files, none, twice the same, and no form at all."""
    one = ("files", ("CLAUDE.md", b"x"))
    address = f"{AGENTS}/upload"
    broken = {"Content-Type": "multipart/form-data; boundary=x"}
    many = [("files", (str(number), b"")) for number in range(600)]

    answers = [
        await client.post(address, data={"name": "x"}, files=[one, one]),
        await client.post(address, data={"name": "x", "colour": "red"}, files=[one]),
        await client.post(address, content=b"--x\r\nnonsense", headers=broken),
        await client.post(address, content=b"x", headers={"Content-Type": "text/x"}),
        await client.post(address, data={"name": "x"}, files=many),
    ]

    assert [answer.status_code for answer in answers] == [400, 400, 400, 400, 413]
    assert "twice" in answers[0].json()["error"]


async def test_large_uploads_are_taken_up_to_the_limit_and_only_there(
    client: httpx.AsyncClient,
) -> None:
    """P05, J13: the limit of every other path stays."""
    data = "x" * 3_000_000

    taken = await upload(client, "large", **{"CLAUDE.md": "x", "data": data})
    refused = await upload(client, "larger", **{"CLAUDE.md": "x", "data": data * 4})
    far = await upload(client, "largest", **{"CLAUDE.md": "x", "data": data * 8})
    said = await client.post("/chat", json={"message": data})
    asked = await client.put(f"{WEBHOOKS}/github", json={"a": data})

    assert (taken.status_code, taken.json()["bytes"]) == (201, 3_000_001)
    statuses = [one.status_code for one in (refused, far, said, asked)]
    assert statuses == [413] * 4
    assert "raise upload_max_bytes" in refused.json()["error"]
    assert "larger than 21971520 bytes" in far.json()["error"]


async def test_settings_of_webhooks_that_are_none_are_refused(
    client: httpx.AsyncClient, tmp_path: Path
) -> None:
    for name, body, status in SETTINGS:
        address = f"{WEBHOOKS}/{name}"
        answer = await client.put(address, content=body, headers=JSON)

        assert answer.status_code == status, (body[:80], answer.text)
    assert list((tmp_path / "definitions").iterdir()) == []
