# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""JSON of millions of parts would take control's memory; text of a file does not."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from control.running_app import control

from agentd.api.dense_bodies import is_dense
from definitions.test_registry_api import AGENTS, parts

JSON = {b"content-type": b"application/json"}
MANY = 200_000
TEXT = 'if (a["b"] == "\\\\") { c(1, [2, {"d": 3}]); }\n' * MANY


@pytest.mark.parametrize(
    "body",
    [
        b"[" + b"{}," * MANY + b"{}]",
        b'{"files": {' + b'"a": "",' * MANY + b'"b": ""}}',
        b"[" + b"1," * MANY + b"1]",
        b'["' + b'"' * MANY * 5 + b"," * MANY,
        b'"\\' + b"[" * MANY + b'" ' + b"[" * MANY,
    ],
)
def test_json_of_very_many_parts_is_dense(body: bytes) -> None:
    """J13."""
    assert is_dense(JSON, body)


@pytest.mark.parametrize("end", ["", '"', "\\"])
def test_the_text_of_a_file_is_not_however_it_looks(end: str) -> None:
    body = json.dumps({"name": "a", "files": {"CLAUDE.md": TEXT + end}}).encode()

    assert not is_dense(JSON, body)
    assert is_dense(JSON, body + b"," * MANY)
    assert not is_dense({b"content-type": b"multipart/form-data; boundary=x"}, body)


@pytest.mark.parametrize("end", [b"", b"\\", b'"', b'\\"'])
def test_what_is_no_json_takes_no_long_look(end: bytes) -> None:
    body = b"," * MANY + b'"' + b'\\"' * 2_000_000 + end
    before = time.process_time()

    is_dense(JSON, body)

    assert time.process_time() - before < 3


@pytest.mark.parametrize("address", ["upload", "reviewer/content"])
async def test_a_dense_body_is_refused_before_it_is_read(
    tmp_path: Path, address: str
) -> None:
    """J13, P05."""
    body = b'{"name": "a", "files": [' + b"{}," * 400_000 + b"{}]}"
    async with control(tmp_path, parts(tmp_path)) as running:
        answer = await running.client.request(
            "POST" if address == "upload" else "PUT",
            f"{AGENTS}/{address}",
            content=body,
            headers={"content-type": "application/json"},
        )

    assert answer.status_code == 413
    assert "more than 100000 parts" in answer.json()["error"]
